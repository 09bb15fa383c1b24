import type { Finding } from '../script-validation.js';

/** Where the judges of a text put what they find. */
export interface Remarks {
  /** Nobody may approve it. */
  deny(rule: string, node: unknown, reason: string, remedy: string): void;
  /** Two people must. */
  warn(rule: string, node: unknown, reason: string, remedy: string): void;
}

export interface Collected {
  readonly denied: readonly Finding[];
  readonly warned: readonly Finding[];
}

/** Collects the remarks on a text; `statementAt` is where the statement being judged begins, in bytes. */
export function createRemarks(text: string): { readonly remarksAt: (statementAt: number) => Remarks; readonly collected: Collected } {
  const bytes = new TextEncoder().encode(text);
  const denied: Finding[] = [];
  const warned: Finding[] = [];
  // Postgres counts bytes, people count characters.
  const toPosition = (offset: number): number => new TextDecoder().decode(bytes.subarray(0, offset)).length + 1;
  function put(findings: Finding[], statementAt: number, finding: Omit<Finding, 'position'>, node: unknown): void {
    const position = toPosition(findOffset(node) ?? skipToWord(bytes, statementAt));
    const isKnown = findings.some((known) => known.rule === finding.rule && known.position === position);
    if (!isKnown) findings.push({ ...finding, position });
  }
  return {
    remarksAt: (statementAt) => ({
      deny: (rule, node, reason, remedy) => put(denied, statementAt, { rule, reason, remedy }, node),
      warn: (rule, node, reason, remedy) => put(warned, statementAt, { rule, reason, remedy }, node),
    }),
    collected: { denied, warned },
  };
}

/** The first place that a part of a tree names. */
function findOffset(node: unknown): number | undefined {
  const places = [...(JSON.stringify(node) ?? '').matchAll(/"location":(\d+)/g)].map(([, offset]) => Number(offset));
  return places.length === 0 ? undefined : Math.min(...places);
}

/** Past the spaces and comments that the parser counts to a statement. */
function skipToWord(bytes: Uint8Array, statementAt: number): number {
  const rest = new TextDecoder().decode(bytes.subarray(statementAt));
  const [before = ''] = /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/.exec(rest) ?? [];
  return statementAt + new TextEncoder().encode(before).length;
}
