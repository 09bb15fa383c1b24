import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { closeApis, openApi } from './open-api.js';

interface Operation {
  operationId: string;
  security?: object[];
  requestBody?: { content: Record<string, { schema: object }> };
  parameters?: { name: string; in: string }[];
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

let operations: (readonly [route: string, operation: Operation])[];
let document: { openapi: string; security: object[]; components: { securitySchemes: object } };
beforeAll(async () => {
  const api = await openApi();
  const reply = await api.call('nobody', 'GET', '/openapi.json');
  document = reply.json();
  operations = Object.entries(reply.json<{ paths: Record<string, Record<string, Operation>> }>().paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
  );
});
afterAll(closeApis);

const named = (operationId: string) => operations.find(([, operation]) => operation.operationId === operationId)?.[1];

describe('/openapi.json', () => {
  it('names every operation once', () => {
    expect(operations.map(([, { operationId }]) => operationId).toSorted()).toEqual(
      ['isAlive', 'isReady', 'readMe', 'receiveAlertmanager', 'receiveJsonAlerts', 'listIncidents', 'getIncident', 'readTail', 'decide', 'cancelIncident', 'rollBack', 'receiveSlackAction', 'remediate', 'approve', 'listScripts', 'createScript', 'readAudit', 'verifyAudit', 'listKeys', 'rotateKeys', 'revokeKey', 'readKillSwitch', 'throwKillSwitch', 'listTokens', 'makeToken', 'revokeToken', 'listPeople', 'setPerson', 'removePerson', 'readPolicy', 'listPolicyVersions', 'changePolicy', 'dryRunPolicy', 'readReport', 'listExecutors', 'pollExecutorCall', 'beatExecutorCall', 'beginExecutorCall', 'sendExecutorOutput', 'answerExecutorCall', 'claimExecution'].toSorted(),
    );
  });

  it('asks for a bearer token everywhere but where everyone may come', () => {
    expect(document).toMatchObject({ openapi: '3.1.0', security: [{ bearer: [] }], components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } } });
    expect(operations.filter(([, { security }]) => security !== undefined).map(([route, { security }]) => [route, security])).toEqual([
      ['GET /healthz', []],
      ['GET /readyz', []],
      ['POST /api/executions/{key}/claim', []],
      ['POST /api/slack/actions', []],
    ]);
  });

  it('has the schema of every body, answer and problem', () => {
    const isTold = (schema: object | undefined) => schema !== undefined && Object.keys(schema).length > 0;
    const untold = operations.filter(([route, { requestBody, responses, operationId }]) => {
      const answers = Object.values(responses).flatMap(({ content = {} }) => Object.values(content).map(({ schema }) => schema));
      const problems = ['4XX', '5XX'].map((status) => responses[status]?.content?.['application/problem+json']?.schema);
      const hasBody = route.startsWith('GET') || route.startsWith('DELETE') || Object.values(requestBody?.content ?? {}).some(({ schema }) => isTold(schema));
      return !(hasBody && answers.length > 0 && answers.every(isTold) && (operationId.startsWith('is') || problems.every(isTold)));
    });
    expect(untold.map(([route]) => route)).toEqual([]);
  });

  it('tells of the header that makes a repeat harmless, on every write', () => {
    for (const [route, { parameters = [] }] of operations) {
      // Slack sends no such header, and tells one click from another by its time; a dry run writes nothing.
      // What executor workers send names its call, and they send it until it gets through.
      if (route.startsWith('POST /api/executors/')) continue;
      if (route === 'POST /api/slack/actions' || route === 'POST /api/policy/dry-run') continue;
      expect([route, parameters.some(({ name }) => name === 'idempotency-key')]).toEqual([route, route.startsWith('POST')]);
    }
  });

  it('says that a tail may be a page or a stream', () => {
    expect(Object.keys(named('readTail')?.responses['200']?.content ?? {})).toEqual(['application/json', 'text/event-stream']);
    expect(Object.keys(named('remediate')?.responses['200']?.content ?? {})).toEqual(['text/event-stream']);
  });
});
