import { fastify } from 'fastify';
import { type Program, runSchemathesis } from './schemathesis.js';

const says = (schema: object) => ({ get: { responses: { 200: { description: 'So it says.', content: { 'application/json': { schema } } } } } });
const number = { type: 'object', required: ['number'], properties: { number: { type: 'integer' } } };
/** One address for each way in which an answer can be wrong. */
const faults = ['/server-error', '/undocumented-status', '/other-type', '/other-body'];

/** Whether every fault of a server that has some is found, and told without the token. A run that finds nothing says nothing otherwise. */
export async function runControl(program: Program, seed: number, stopping: AbortSignal): Promise<string | undefined> {
  const app = fastify();
  app.get('/openapi.json', async () => ({ openapi: '3.1.0', info: { title: 'faulty', version: '1' }, paths: Object.fromEntries(['/well', ...faults].map((path) => [path, says(number)])) }));
  app.get('/well', async () => ({ number: 1 }));
  app.get('/server-error', async (_request, reply) => reply.code(500).send({ number: 1 }));
  app.get('/undocumented-status', async (_request, reply) => reply.code(201).send({ number: 1 }));
  app.get('/other-type', async (_request, reply) => reply.type('text/plain').send('1'));
  app.get('/other-body', async () => ({ number: 'one' }));
  try {
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const { told } = await runSchemathesis(program, { url, token: 'not-to-be-shown', phase: { kind: 'fuzzing', perOperation: 1 }, seed, values: {}, stopping });
    const missed = faults.filter((path) => !told.includes(`${url}${path}`));
    if (missed.length > 0) return `schemathesis did not find what is wrong with ${missed.join(', ')} of a faulty server`;
    if (told.includes(`${url}/well`)) return 'schemathesis found something wrong with an answer that is as it should be';
    return told.includes('not-to-be-shown') ? 'schemathesis showed the token' : undefined;
  } finally {
    await app.close();
  }
}
