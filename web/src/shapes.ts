import type { operations } from './api-types.js';

type Answer<Operation extends keyof operations> = operations[Operation] extends { responses: { 200: { content: { 'application/json': infer Body } } } }
  ? Body
  : never;

export type IncidentSummary = Answer<'listIncidents'>['incidents'][number];
export type IncidentDetail = Answer<'getIncident'>;
export type Gate = NonNullable<IncidentDetail['gate']>;
export type Plan = NonNullable<IncidentDetail['plan']>;
export type Step = Plan['steps'][number];
export type RootCause = NonNullable<IncidentDetail['rootCause']>;
export type Signal = IncidentDetail['before'][number];
export type TailEntry = Answer<'readTail'>['entries'][number];
export type IncidentUpdate = Extract<TailEntry, { event: 'update' }>['data'];
export type Me = Answer<'readMe'>;
export type DecisionBody = operations['decide']['requestBody']['content']['application/json'];
export type Verdict = DecisionBody['verdict'];
