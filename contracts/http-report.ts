import { Type, type Static } from 'typebox';
import { outcomes } from '../domain/incident.js';
import { rootCauseCategories } from '../domain/root-cause.js';
import { severities } from '../domain/severity.js';
import { Moment, Nullable, Uuid, Words } from './http.js';

const Count = Type.Integer({ minimum: 0 });
const Ms = Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]);

export const ReportQuery = Type.Object({
  since: Type.Optional(Type.String({ format: 'date-time', description: 'From this moment on; incidents count by when they were opened. Left out: the seven days before `until`.' })),
  until: Type.Optional(Type.String({ format: 'date-time', description: 'Before this moment, at most 366 days after `since`. Left out: now.' })),
});
export type ReportQuery = Static<typeof ReportQuery>;

export const Report = Type.Object({
  workspaceId: Type.String(),
  since: Moment,
  until: Moment,
  opened: Count,
  stillOpen: Count,
  outcomes: Type.Object(Object.fromEntries(outcomes.map((outcome) => [outcome, Type.Optional(Count)])), { description: 'How the incidents ended; only those outcomes that there were.' }),
  recovered: Type.Object({ count: Count, medianMs: Ms, p90Ms: Ms }, { description: 'Incidents that became healthy again with nothing run, and how long that took.' }),
  needsHuman: Type.Integer({ minimum: 0, description: 'Incidents that came to a gate where a person has to say how to go on.' }),
  withoutPlan: Type.Array(Type.Object({ rootCause: Nullable(Words(rootCauseCategories)), count: Count }), {
    description: 'Those of them for which no plan was ever made, by root cause; null where none was found.',
  }),
  fixes: Type.Array(
    Type.Object({
      title: Type.String(),
      scriptId: Type.Union([Uuid, Type.Null()], { description: 'null: it restores what was there before.' }),
      risk: Words(severities),
      tier: Words(['HIGH', 'MEDIUM', 'LOW']),
      proposed: Count,
      wouldRun: Type.Integer({ minimum: 0, description: 'How many of them would run by themselves under autonomy `confidence`, by the policy of now otherwise.' }),
      wouldWait: Type.Integer({ minimum: 0, description: 'How many would wait for people even then.' }),
      ran: Count,
      verifiedWell: Count,
      rolledBack: Count,
      observed: Type.Integer({ minimum: 0, description: 'Shown while nobody could approve them.' }),
      recovered: Type.Integer({ minimum: 0, description: 'Of those observed: whose incident became healthy again with nothing run.' }),
    }),
    { description: 'The last plan that was proposed for each incident, by fix and tier of confidence; most proposed first.' },
  ),
});
export type Report = Static<typeof Report>;
