import { validateBash } from '../bash/validate-bash.js';
import { validateScript } from '../script/validate-script.js';
import { type Finding, MAX_FINDINGS, type ScriptValidation } from '../script-validation.js';
import type { Command } from './judge-command.js';
import { judgeTree } from './judge-tree.js';
import { everyNode, type ParsePython, type PythonNode } from './python-tree.js';
import { collectRemarks, type Remark } from './remarks.js';

const MAX_COMMANDS = 100;

/** Judges Python by rule over the tree of Python's own parser. Whatever no rule allows is not plain `review`; what cannot be read at all is denied. */
export async function validatePython(text: string, parse: ParsePython): Promise<ScriptValidation> {
  const seen = validateScript('python', text);
  if (seen.result === 'denied') return seen;
  const parsed = await parse(text);
  if (!parsed.ok) {
    const { because, position, isSyntax } = parsed;
    return deny(
      isSyntax
        ? { rule: 'python.syntax', position, reason: `Python cannot read it: ${because}`, remedy: 'Correct it there.' }
        : { rule: 'python.parser', position: 0, reason: `Python's own parser gave no answer: ${because}`, remedy: 'Install python3, 3.8 or later, where Sluice runs, and try again.' },
    );
  }
  const hidden = findHidden(text, parsed.tree);
  if (hidden !== undefined) return deny(hidden);
  try {
    const remarks = collectRemarks();
    const commands = judgeTree(parsed.tree, remarks);
    return conclude([...remarks.all, ...(await judgeCommands(commands))]);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return deny({ rule: 'python.size', position: 0, reason: 'its names lead from one to the next further than they can be followed', remedy: 'Write a shorter script.' });
  }
}

const deny = (finding: Finding): ScriptValidation => ({ result: 'denied', findings: [finding] });

/** Python itself reads more than people see: another encoding, and letters that it takes for others. */
function findHidden(text: string, tree: PythonNode): Finding | undefined {
  const cookie = text.split('\n', 2).join('\n').match(/^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)/m);
  if (cookie !== null && !/^utf-?8$/i.test(cookie[1] ?? '')) {
    return { rule: 'python.encoding', position: (cookie.index ?? 0) + 1, reason: 'it says that its bytes mean other characters than the ones that are seen', remedy: 'Leave out the line about coding.' };
  }
  const covered = [...everyNode(tree)].filter(({ kind }) => kind === 'Constant' || kind === 'JoinedStr').map(({ at, end }) => [at, end] as const);
  const isCovered = (position: number): boolean => covered.some(([at, end]) => at <= position && position < end);
  for (const line of text.matchAll(/[^\r\n]+/g)) {
    for (const letter of line[0].matchAll(/[^\p{ASCII}]/gu)) {
      const position = line.index + letter.index + 1;
      const isComment = [...line[0].slice(0, letter.index).matchAll(/#/g)].some((mark) => !isCovered(line.index + mark.index + 1));
      if (!isComment && !isCovered(position)) return { rule: 'python.letters', position, reason: 'a name with a letter that looks like another, or that Python reads as another', remedy: 'Write names in plain ASCII.' };
    }
  }
  return undefined;
}

/** What is run is judged as bash would run it. */
async function judgeCommands(commands: readonly Command[]): Promise<readonly Remark[]> {
  const different = [...new Map(commands.map((command) => [`${command.node.at} ${command.text}`, command])).values()];
  const remarks: Remark[] = [];
  for (const { text, node } of different.slice(0, MAX_COMMANDS)) {
    const judged = await validateBash(text);
    const weight = judged.result === 'denied' ? 'never' : 'plus';
    for (const finding of judged.findings) remarks.push({ weight, finding: { ...finding, position: node.at } });
  }
  const [, left] = [different.slice(0, MAX_COMMANDS), different[MAX_COMMANDS]];
  if (left !== undefined) remarks.push({ weight: 'plus', finding: { rule: 'python.commands', position: left.node.at, reason: `it runs more than ${MAX_COMMANDS} commands`, remedy: 'Write several steps.' } });
  return remarks;
}

function conclude(remarks: readonly Remark[]): ScriptValidation {
  const isDenied = remarks.some(({ weight }) => weight === 'never');
  const said = remarks.filter(({ weight }) => !isDenied || weight === 'never').map(({ finding }) => finding);
  const different = [...new Map(said.map((finding) => [`${finding.rule} ${finding.position} ${finding.reason}`, finding])).values()].toSorted((left, right) => left.position - right.position);
  const [first, ...others] = different.slice(0, MAX_FINDINGS);
  if (first === undefined) return { result: 'review', findings: [], reach: 'host' };
  return isDenied ? { result: 'denied', findings: [first, ...others] } : { result: 'review_plus', findings: [first, ...others], reach: 'host' };
}
