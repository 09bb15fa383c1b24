import type { Finding } from '../script-validation.js';

/** Says what is wrong with a part of a tree, and where in the text it begins. */
export function refuse(rule: string, tree: unknown, reason: string, remedy: string): Finding {
  const places = [...(JSON.stringify(tree) ?? '').matchAll(/"location":(\d+)/g)].map(([, offset]) => Number(offset));
  return { rule, position: places.length === 0 ? 0 : Math.min(...places) + 1, reason, remedy };
}

/** The tree as text, without places, and so the same for every way to write the same thing. */
export const toShape = (tree: unknown): string =>
  JSON.stringify(tree, (key, value: unknown) => (key === 'location' || key.startsWith('rexpr_list_') ? undefined : value)) ?? '';

/** Thrown at a part of a tree that no rule allows. */
export class NotAllowed extends Error {
  override readonly name = 'NotAllowed';
  constructor(readonly finding: Finding) {
    super(finding.reason);
  }
}
