import { randomUUID } from 'node:crypto';
import { base64url, CompactSign, generateKeyPair, exportJWK, importJWK, type JWK } from 'jose';
import type { SignedDecision } from '../../../domain/grant.js';
import { type Meddler, type Meddling, toKind } from '../meddle.js';

const TYP = 'sluice-decision+jws';
const bytes = (payload: object): Uint8Array => new TextEncoder().encode(JSON.stringify(payload));
const encode = (value: object): string => base64url.encode(JSON.stringify(value));

/** What an approval by this person would say. */
const toDecision = ({ incident, gate }: Meddling, decisionId: string, person: string): SignedDecision => ({
  decisionId,
  workspaceId: incident.desk.workspace.id,
  incidentId: incident.id,
  gateId: gate.id,
  gateKind: 'execution',
  verdict: 'approve',
  digest: gate.digest,
  planVersion: gate.plan_version,
  person,
  role: 'supervisor',
  decidedAt: Date.now(),
  expiresAt: Date.now() + 3_600_000,
});

/** Writes an approval down that nobody gave, and marks the gate as approved. */
async function forge(it: Meddling, signature: (decision: SignedDecision) => Promise<string> | string, person = 'sam'): Promise<void> {
  const { lane, incident, gate } = it;
  const id = randomUUID();
  await lane.arena.sql(
    "insert into decisions (id, workspace_id, incident_id, gate_id, verdict, digest, person, role, signature) values ($1, $2, $3, $4, 'approve', $5, $6, 'supervisor', $7)",
    [id, incident.desk.workspace.id, incident.id, gate.id, gate.digest, person, await signature(toDecision(it, id, person))],
  );
  await lane.arena.sql("update gates set state = 'approved', settled_at = coalesce(settled_at, now()) where id = $1", [gate.id]);
}

const signWith = async (decision: object, key: JWK, header: object): Promise<string> =>
  new CompactSign(bytes(decision)).setProtectedHeader({ alg: 'EdDSA', typ: TYP, ...header }).sign(await importJWK(key, 'EdDSA'));

async function makeKey(): Promise<{ readonly privateKey: JWK; readonly publicKey: JWK }> {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  return { privateKey: await exportJWK(pair.privateKey), publicKey: await exportJWK(pair.publicKey) };
}

/** A signature of ours, taken from another decision. */
async function readSignature({ lane }: Meddling, where: string, ...values: readonly unknown[]): Promise<string> {
  const [row] = await lane.arena.sql<{ signature: string }>(`select signature from decisions where ${where} order by created_at desc limit 1`, values);
  if (row === undefined) throw new Error('there is no such decision to copy from');
  return row.signature;
}

const forgers: readonly Pick<Meddler, 'name' | 'meddle' | 'approvals' | 'shape'>[] = [
  { name: 'forged decision without a signature', meddle: (it) => forge(it, () => it.chance.pick(['', 'none', it.chance.hex(128), '..', 'null'])) },
  {
    name: 'forged decision, signed by another key',
    async meddle(it) {
      const { privateKey, publicKey } = await makeKey();
      const { kid } = it.lane.arena.publicKey;
      // Under our key's name, under its own, and with the key brought along.
      await forge(it, (decision) => signWith(decision, privateKey, it.chance.pick([{ kid }, { kid: it.chance.hex(16) }, { kid, jwk: publicKey }, { kid, jku: 'https://example.invalid/keys' }, {}])));
    },
  },
  {
    name: 'forged decision, alg none',
    meddle: (it) =>
      forge(it, (decision) => `${encode({ alg: it.chance.pick(['none', 'None', 'EdDSA', '']), typ: TYP, kid: it.lane.arena.publicKey.kid })}.${encode(decision)}.${it.chance.pick(['', 'AA', base64url.encode(new Uint8Array(64))])}`),
  },
  {
    name: 'forged decision, HS256 with the public key',
    meddle: (it) =>
      forge(it, (decision) => {
        const { kid, x = '' } = it.lane.arena.publicKey;
        const secret = it.chance.pick([base64url.decode(x), new TextEncoder().encode(x.padEnd(32)), bytes({ ...it.lane.arena.publicKey })]);
        return new CompactSign(bytes(decision)).setProtectedHeader({ alg: 'HS256', typ: TYP, ...(kid === undefined ? {} : { kid }) }).sign(secret);
      }),
  },
  { name: "forged decision, a checkpoint's signature", meddle: (it) => forge(it, (decision) => it.lane.arena.keyring.sign('checkpoint', decision)) },
  { name: 'forged decision, signed by a stolen key that is revoked', meddle: (it) => forge(it, (decision) => signWith(decision, it.lane.arena.stolenKey, { kid: it.chance.pick([it.lane.arena.stolenKey.kid, it.lane.arena.publicKey.kid]) })) },
  {
    name: 'another payload under our signature',
    async meddle(it) {
      const other = await it.lane.take('plain');
      const honest = await other.decide(await other.gate('execution'), 'ana');
      const [header, , seal] = (await readSignature(it, 'id = $1', honest)).split('.');
      await forge(it, (decision) => `${header}.${encode(decision)}.${seal}`);
    },
  },
  {
    name: 'signed decision of another incident',
    async meddle(it) {
      const other = await it.lane.take('plain');
      const honest = await other.decide(await other.gate('execution'), 'ana');
      const signature = await readSignature(it, 'id = $1', honest);
      await forge(it, () => signature, 'ana');
    },
  },
  {
    name: 'signed decision of another workspace',
    async meddle(it) {
      const other = await it.lane.exhibit('half approved', 'grave', (incident) => incident.answer('execution', 'sam'));
      const signature = await readSignature(it, "incident_id = $1 and person = 'sam'", other.id);
      await forge(it, () => signature, 'sam');
    },
  },
  {
    name: 'the very row of a decision of another gate',
    async meddle(it) {
      const other = await it.lane.take('plain');
      const honest = await other.decide(await other.gate('execution'), 'ana');
      await it.lane.arena.sql('update decisions set gate_id = $2, incident_id = $3, digest = $4 where id = $1', [honest, it.gate.id, it.incident.id, it.gate.digest]);
      await it.lane.arena.sql("update gates set state = 'approved', settled_at = now() where id = $1", [it.gate.id]);
    },
  },
  {
    name: 'one signed approval as that of two people',
    shape: 'grave',
    approvals: 1,
    async meddle(it) {
      const signature = await readSignature(it, 'id = $1', it.decisionId);
      await forge(it, () => signature, it.chance.pick(['sue', 'Sam', 'sam ']));
    },
  },
  { name: 'a forged approval beside a good one', approvals: 1, meddle: (it) => forge(it, () => it.chance.hex(64)) },
];

/** Whoever writes decisions down that nobody with a trusted key has signed. */
export const signatureKinds = forgers.map(({ approvals = 0, ...forger }) => toKind({ ...forger, approvals, refusals: ['signatureInvalid'] }));
