/** One try to get out. Its script says this word where it has succeeded; what it would have changed is also looked at from outside. */
export const SUCCESS = 'GOT-OUT';

export interface Probe {
  readonly area: string;
  readonly name: string;
  readonly type: 'bash' | 'python';
  readonly script: string;
  /**
   * How the same script is seen to succeed without the sandbox: `plain` as it is; `apart` in namespaces of its own, since it would change the machine;
   * `whereItIs` where the kernel has what it asks for; null where it would do harm.
   */
  readonly control: 'plain' | 'apart' | 'whereItIs' | null;
}

/** A bash probe that succeeds where its last command does. */
export const tries = (area: string, name: string, script: string, control: Probe['control'] = 'plain'): Probe => ({
  area,
  name,
  type: 'bash',
  script: `if (\n${script}\n) </dev/null; then echo ${SUCCESS}; fi`,
  control,
});

/** A Python probe that succeeds where it comes to its end; `ok` may be called with a condition. */
export const triesPython = (area: string, name: string, script: string, control: Probe['control'] = 'plain'): Probe => ({
  area,
  name,
  type: 'python',
  script: `import os, sys, ctypes, socket, struct\nlibc = ctypes.CDLL(None, use_errno=True)\ndef ok(condition):\n  if not condition: sys.exit(1)\n${script}\nprint("${SUCCESS}")`,
  control,
});
