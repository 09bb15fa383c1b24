import { randomBytes } from 'node:crypto';
import pg from 'pg';

export interface ShopDatabase {
  /** For the shop's clients. */
  readonly shopUrl: string;
  /** For Sluice: may look and may end sessions, and owns nothing. */
  readonly operatorUrl: string;
}

export const PRODUCTS = 50;

export const SHOP_TABLES = `
  create schema shop;
  create table shop.products (sku int primary key, stock bigint not null);
  create table shop.orders (id bigint generated always as identity primary key, sku int not null references shop.products, at timestamptz not null default now());
  insert into shop.products select sku, 1000000 from generate_series(1, ${PRODUCTS}) sku;`;

/** Makes the demo's shop anew beside Sluice's own database: its tables, a role for its clients and one for Sluice. */
export async function createShopDatabase(serverUrl: string): Promise<ShopDatabase> {
  const asRole = (user: string, password: string): string => {
    const url = new URL(serverUrl);
    url.pathname = '/shop';
    url.username = user;
    url.password = password;
    return url.href;
  };
  const shopPassword = randomBytes(16).toString('hex');
  const operatorPassword = randomBytes(16).toString('hex');
  const server = new pg.Client({ connectionString: serverUrl });
  await server.connect();
  try {
    await server.query('drop database if exists shop with (force)');
    await server.query('create database shop');
    for (const [role, password] of [['shop', shopPassword], ['sluice_operator', operatorPassword]] as const) {
      const { rowCount } = await server.query('select from pg_roles where rolname = $1', [role]);
      await server.query(`${rowCount === 0 ? 'create' : 'alter'} role ${role} login password ${pg.escapeLiteral(password)}`);
    }
    await server.query('grant pg_monitor, pg_signal_backend to sluice_operator');
    await server.query('grant create on database shop to shop');
  } finally {
    await server.end();
  }
  const shopUrl = asRole('shop', shopPassword);
  const owner = new pg.Client({ connectionString: shopUrl });
  await owner.connect();
  try {
    await owner.query(SHOP_TABLES);
  } finally {
    await owner.end();
  }
  return { shopUrl, operatorUrl: asRole('sluice_operator', operatorPassword) };
}
