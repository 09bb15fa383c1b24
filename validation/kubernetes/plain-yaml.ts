import { type Document, isMap, isNode, isSeq, type Node, Scalar, visit } from 'yaml';
import { findPair } from '../config-patch/yaml-text.js';
import { hiddenCharacter } from '../hidden-character.js';
import type { Finding } from '../script-validation.js';

/** What one reader would take for this and another for that, or that is not where it is written. */
export function findAmbiguous(document: Document, rule: string, ambiguous: RegExp): readonly Finding[] {
  const findings: Finding[] = [];
  const refuse = (node: Node, reason: string, remedy: string) => findings.push({ rule, position: startOf(node), reason, remedy });
  visit(document, {
    Alias: (_key, alias) => void refuse(alias, 'an alias stands for something that is written elsewhere', 'Write it out.'),
    Value: (_key, node) => {
      if (node.anchor !== undefined) refuse(node, 'an anchor is for aliases', 'Write everything out.');
      if (node.tag !== undefined) refuse(node, `the tag ${node.tag} changes what a value means`, 'Leave it out.');
      if (!(node instanceof Scalar)) return;
      if (node.type === Scalar.PLAIN && ambiguous.test(node.source ?? '')) refuse(node, `${node.source} is read in more than one way`, 'Put text in quotes, and write numbers with digits only.');
      if (typeof node.value === 'string' && hiddenCharacter.test(node.value)) refuse(node, 'a character that people cannot see, or that hides others', 'Leave it out, also where it is written as an escape.');
    },
  });
  return findings;
}

/** Where the member or element at the end of a path begins, counted from 1; that of what it would be in, where it is missing. */
export function positionOf(document: Document, keys: readonly string[]): number {
  let position = startOf(document.contents);
  let at: unknown = document.contents;
  for (const key of keys) {
    const pair = isMap(at) ? findPair(at, key) : undefined;
    const element = isSeq(at) ? at.items[Number(key)] : undefined;
    position = startOf(pair?.key ?? element) || position;
    at = pair?.value ?? element;
  }
  return position;
}

const startOf = (node: unknown): number => (isNode(node) && node.range ? node.range[0] + 1 : 0);
