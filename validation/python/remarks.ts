import type { Finding } from '../script-validation.js';
import type { PythonNode } from './python-tree.js';

export interface Remark {
  readonly weight: 'plus' | 'never';
  readonly finding: Finding;
}

/** What the rules have to say, in the order in which they say it. */
export interface Remarks {
  readonly plus: (rule: string, node: PythonNode, reason: string, remedy: string) => void;
  readonly never: (rule: string, node: PythonNode, reason: string, remedy: string) => void;
  readonly all: readonly Remark[];
}

export function collectRemarks(): Remarks {
  const all: Remark[] = [];
  const say =
    (weight: Remark['weight']) =>
    (rule: string, node: PythonNode, reason: string, remedy: string): void => {
      all.push({ weight, finding: { rule: `python.${rule}`, position: node.at, reason, remedy } });
    };
  return { plus: say('plus'), never: say('never'), all };
}
