import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface DemoProcess {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts one of the demo's services in a process of its own, and waits until it says its address. */
export async function openProcess(main: URL, env: Readonly<Record<string, string>>): Promise<DemoProcess> {
  const child = fork(fileURLToPath(main), { execArgv: ['--import', 'tsx'], env });
  const url = await new Promise<string>((resolve, reject) => {
    child.once('message', (message: { readonly url: string }) => resolve(message.url));
    child.once('exit', (code) => reject(new Error(`${main.pathname} did not start (exit code ${code})`)));
  });
  return {
    url,
    async stop() {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
    },
  };
}
