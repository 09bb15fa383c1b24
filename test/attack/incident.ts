import { randomUUID } from 'node:crypto';
import type { WorkflowHandle, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { incidentWorkflowId, signalNameOf, type IncidentInput } from '../../contracts/messages.js';
import { openIncident as record } from '../../db/open-incident.js';
import type { GateKind, Verdict } from '../../domain/gate.js';
import { until } from '../harness/until.js';
import type { Arena } from './arena.js';
import type { AuditEntry, Desk } from './desk.js';
import type { Caller } from './shapes.js';

export interface GateRow {
  readonly id: string;
  readonly kind: GateKind;
  readonly state: string;
  readonly digest: string;
  readonly plan_version: number;
  readonly update_id: string;
  readonly expires_at: Date;
}

/** One incident on its way, as somebody sees it who can read everything. */
export interface Incident {
  readonly id: string;
  readonly actor: string;
  readonly desk: Desk;
  readonly handle: WorkflowHandleWithFirstExecutionRunId;
  /** Starts its workflow again. */
  start(): Promise<WorkflowHandle>;
  /** The open gate of this kind, once it is there. */
  gate(kind: GateKind): Promise<GateRow>;
  /** The gate at which it waits after this one; undefined where it closed instead. */
  next(gate: GateRow): Promise<GateRow | undefined>;
  /** A person decides, by the API; the workflow does not hear of it. */
  decide(gate: GateRow, caller: Caller, verdict?: Verdict): Promise<string>;
  /** All whom it takes decide, but for the last `left`; answers with the last decision. */
  approve(left?: number): Promise<string>;
  signal(kind: GateKind, decisionId: string, run?: WorkflowHandle): Promise<void>;
  /** A person decides and the workflow hears of it. */
  answer(kind: GateKind, caller: Caller, verdict?: Verdict): Promise<GateRow>;
  /** Approved, run and waiting for somebody who looks. */
  run(): Promise<GateRow>;
  outcome(): Promise<string | null>;
  /** What the job tail says, from its entry after `seq` on. */
  tail(seq?: number): Promise<string>;
  seq(): Promise<number>;
  /** What the audit says of it, oldest first. */
  audit(): Promise<readonly AuditEntry[]>;
  effects(): Promise<number>;
  end(): Promise<void>;
}

/** Opens an incident about a row of its own, and waits until its first gate is open. */
export async function openIncident(arena: Arena, desk: Desk): Promise<Incident> {
  const { db, sql, target, client, taskQueue } = arena;
  const id = randomUUID();
  const actor = `actor-${id}`;
  const { workspace } = desk;
  arena.actors.set(id, actor);
  await target.add(actor);
  await record(db, { id, workspaceId: workspace.id, trigger: 'alert', title: 'too many rows deleted', fingerprint: id, startedBy: null, labels: {}, targets: ['shop-db'], severityThreshold: 'LOW', severity: null });
  const { policy } = await desk.readPolicy();
  const input: IncidentInput = { workspaceId: workspace.id, incidentId: id, trigger: 'alert', severityThreshold: 'LOW', targets: ['shop-db'], policy };
  const start = () => client.workflow.start('incident', { taskQueue, workflowId: incidentWorkflowId(workspace.id, id), args: [input] });
  const handle = await start();
  const gates = (where: string, ...values: readonly unknown[]) => sql<GateRow>(`select id, kind, state, digest, plan_version, update_id, expires_at from gates where incident_id = $1 and ${where} order by opened_at desc`, [id, ...values]);
  const outcome = async (): Promise<string | null> => (await sql<{ outcome: string | null }>('select outcome from incidents where id = $1', [id]))[0]?.outcome ?? null;

  const incident: Incident = {
    id,
    actor,
    desk,
    handle,
    start,
    outcome,
    gate: (kind) => until(`an open ${kind} gate`, async () => (await gates("state = 'open' and kind = $2", kind))[0]),
    next: (gate) =>
      until(`what comes after the ${gate.kind} gate`, async () => {
        const [open] = await gates("state = 'open' and id <> $2", gate.id);
        return open ?? ((await outcome()) === null ? undefined : null);
      }).then((found) => found ?? undefined),
    async decide(gate, caller, verdict = 'approve') {
      const reply = await desk.decide(caller, incident, { gateId: gate.id, digest: gate.digest, verdict, confirmation: desk.title, reason: 'seen' });
      if (reply.statusCode !== 200) throw new Error(`an honest decision was refused: ${reply.body}`);
      return reply.json<{ decisionId: string }>().decisionId;
    },
    async approve(left = 0) {
      const gate = await incident.gate('execution');
      if (desk.shape === 'auto') {
        if (!(await arena.approveByPolicy(gate.id))) throw new Error('the policy did not let an honest plan run by itself');
        const [said] = await sql<{ id: string }>('select id from decisions where gate_id = $1', [gate.id]);
        return said?.id ?? '';
      }
      let decisionId = randomUUID() as string;
      if (desk.reviewer !== undefined) decisionId = await incident.decide(gate, desk.reviewer, 'review');
      for (const caller of desk.approvers.slice(0, desk.approvers.length - left)) decisionId = await incident.decide(gate, caller);
      return decisionId;
    },
    async signal(kind, decisionId, run = handle) {
      await run.signal(signalNameOf[kind], { decisionId });
    },
    async answer(kind, caller, verdict) {
      const gate = await incident.gate(kind);
      await incident.signal(kind, await incident.decide(gate, caller, verdict));
      return gate;
    },
    async run() {
      await incident.signal('execution', await incident.approve());
      return incident.gate('verification');
    },
    async tail(seq = 0) {
      const rows = await sql<{ text: string }>("select body->'update'->>'text' as text from tail where incident_id = $1 and seq > $2 and event = 'update' order by seq", [id, seq]);
      return rows.map(({ text }) => text).join('\n');
    },
    async seq() {
      const [row] = await sql<{ seq: number }>('select coalesce(max(seq), 0)::int as seq from tail where incident_id = $1', [id]);
      return row?.seq ?? 0;
    },
    async audit() {
      const rows = await sql<{ entry: string }>('select entry from audit where workspace_id = $1 and position($2 in entry) > 0 order by seq', [workspace.id, id]);
      return rows.map(({ entry }): AuditEntry => JSON.parse(entry));
    },
    effects: () => target.countEffects(actor),
    async end() {
      arena.ambushes.delete(id);
      // What has ended by itself is not there to be ended.
      await client.workflow.getHandle(handle.workflowId).terminate('the try is over').catch(() => {});
    },
  };
  await incident.gate(desk.waitsAt);
  return incident;
}
