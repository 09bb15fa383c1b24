import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { openPostgresTap, type Fate, type Tap, type Trigger } from './postgres-tap.js';

let database: FreshDatabase;
let tap: Tap;
let client: pg.Client;

beforeEach(async () => {
  database = await freshDatabase();
  tap = await openPostgresTap(database.url);
  client = await connect(tap.url);
  await client.query('create table boxes (name text primary key)');
});
afterEach(async () => {
  await client.end().catch(() => {});
  tap.close();
  await database.close();
});

async function connect(connectionString: string): Promise<pg.Client> {
  const one = new pg.Client({ connectionString });
  one.on('error', () => {});
  await one.connect();
  return one;
}

/** Read around the tap. */
async function boxes(): Promise<readonly string[]> {
  const direct = await connect(database.url);
  const { rows } = await direct.query<{ name: string }>('select name from boxes order by name');
  await direct.end();
  return rows.map(({ name }) => name);
}

const insert = (name: string) => client.query('insert into boxes values ($1)', [name]);
const trigger = (over: Partial<Trigger>): Trigger => ({ statement: /^insert into boxes/, until: 'durable', hold: 'request', ...over });

/** Arms, and tells what was in the table when it struck. */
function armed(fate: Fate, over: Partial<Trigger>): { readonly seen: () => readonly string[] | undefined } {
  let seen: readonly string[] | undefined;
  tap.arm(trigger(over), async () => {
    seen = await boxes();
    return fate;
  });
  return { seen: () => seen };
}

describe('a tap between a client and Postgres', () => {
  it('lets through what it is not asked to hold, large answers and named statements too', async () => {
    const { rows } = await client.query<{ text: string }>({ name: 'long', text: 'select repeat($1, 300000) as text', values: ['ab'] });
    expect(rows[0]?.text).toHaveLength(600_000);
    await expect(client.query('select nonsense')).rejects.toThrow('nonsense');
    await insert('a');
    expect(await boxes()).toEqual(['a']);
  });

  it('strikes before a statement reaches the database, and lets it through then', async () => {
    const { seen } = armed('deliver', { hold: 'request' });
    await insert('a');
    expect(seen()).toEqual([]);
    expect(await boxes()).toEqual(['a']);
  });

  it('drops a statement with its connection, and nothing of it happens', async () => {
    armed('drop', { hold: 'request' });
    await expect(insert('a')).rejects.toThrow('Connection terminated');
    expect(await boxes()).toEqual([]);
  });

  it('strikes after a statement has its effect, and can lose its answer', async () => {
    const { seen } = armed('drop', { hold: 'answer' });
    await expect(insert('a')).rejects.toThrow('Connection terminated');
    expect(seen()).toEqual(['a']);
  });

  it('waits for the commit of the transaction that a statement is in', async () => {
    const { seen } = armed('drop', { hold: 'answer' });
    await client.query('begin');
    await insert('a');
    expect(seen()).toBeUndefined();
    await expect(client.query('commit')).rejects.toThrow('Connection terminated');
    expect(seen()).toEqual(['a']);
  });

  it('forgets a transaction that was rolled back', async () => {
    const { seen } = armed('drop', { hold: 'request', statement: /\nb$/ });
    await client.query('begin');
    await insert('b');
    await client.query('rollback');
    await client.query('begin');
    await insert('c');
    await client.query('commit');
    expect(seen()).toBeUndefined();
  });

  it('knows a statement by its values, by its answer and by what was said before it', async () => {
    const byValue = armed('deliver', { statement: /^insert into boxes[^]*\nb$/ });
    await insert('a');
    expect(byValue.seen()).toBeUndefined();
    await insert('b');
    expect(byValue.seen()).toEqual(['a']);

    const byAnswer = armed('deliver', { statement: /^select/, answer: /^[^]*b$/, until: 'itself', hold: 'answer' });
    await client.query("select name from boxes where name = 'a'");
    expect(byAnswer.seen()).toBeUndefined();
    await client.query("select max(name) from boxes where name < 'c'");
    expect(byAnswer.seen()).toEqual(['a', 'b']);

    const byBefore = armed('deliver', { within: /lock table/ });
    await insert('c');
    expect(byBefore.seen()).toBeUndefined();
    await client.query('begin; lock table boxes in row exclusive mode');
    await insert('d');
    await client.query('commit');
    expect(byBefore.seen()).toEqual(['a', 'b', 'c']);
  });

  it('strikes once', async () => {
    let times = 0;
    tap.arm(trigger({}), async () => {
      times += 1;
      return 'deliver';
    });
    await insert('a');
    await insert('b');
    expect(times).toBe(1);
  });
});
