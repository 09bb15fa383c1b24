import type { AddressInfo } from 'node:net';
import { runCli } from '../../cli/run-cli.js';
import type { Surroundings } from '../../cli/surroundings.js';
import { type Caller, openApi } from '../api/open-api.js';

interface Run {
  readonly caller?: Caller;
  readonly env?: Record<string, string>;
  /** What the person at the terminal types; undefined where there is nobody. */
  readonly types?: string;
  readonly interrupted?: AbortSignal;
}

/** A terminal before a real API that listens. Close it with `closeApis`. */
export async function openTerminal() {
  const api = await openApi();
  await api.app.listen({ port: 0 });
  const url = `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}`;

  /** Begins a command, to be looked at while it runs. */
  function start(words: string, { caller = 'responder', env, types, interrupted = new AbortController().signal }: Run = {}) {
    const printed: string[] = [];
    const complained: string[] = [];
    const surroundings: Surroundings = {
      env: env ?? { SLUICE_URL: url, SLUICE_TOKEN: api.tokenOf(caller) },
      isTerminal: types !== undefined,
      hasColours: false,
      interrupted,
      untilToldToEnd: () => interrupted,
      sayReady: () => {},
      print: (text) => void printed.push(text),
      complain: (text) => void complained.push(text),
      ask: async (question) => {
        complained.push(question);
        return types ?? '';
      },
    };
    const code = runCli(words.split(' '), surroundings);
    return { printed, complained, code };
  }

  /** Runs a command to its end. */
  async function run(words: string, options?: Run) {
    const { code, printed, complained } = start(words, options);
    return { code: await code, out: printed.join('\n'), err: complained.join('\n') };
  }

  return { api, url, start, run };
}

export type Terminal = Awaited<ReturnType<typeof openTerminal>>;
