import { validateBash } from '../bash/validate-bash.js';
import { MAX_FINDINGS, type ScriptValidation } from '../script-validation.js';
import { type InnerScript, inspectManifests, type Objection } from './inspect-manifests.js';

/** Judges manifests by what Kubernetes would do with them: one object or several, as YAML or JSON. */
export async function validateManifests(text: string): Promise<ScriptValidation> {
  const { objections, scripts, reach } = await inspectManifests(text);
  const all = [...objections, ...(await Promise.all(scripts.map(judgeInnerScript))).flat()];
  // What denies is told first: it is what the writer must change.
  const findings = [...all.filter(({ result }) => result === 'denied'), ...all.filter(({ result }) => result !== 'denied')].map(({ finding }) => finding).slice(0, MAX_FINDINGS);
  const [first, ...more] = findings;
  if (first === undefined) return { result: 'review', findings: [], reach };
  return all.some(({ result }) => result === 'denied') ? { result: 'denied', findings } : { result: 'review_plus', findings: [first, ...more], reach };
}

const interpreter = /^(.*\/)?((ba|da|a|z|k|mk|c|tc|fi)?sh|python[\d.]*|perl|ruby|node|deno|bun|php|lua|awk|busybox|env)$/;
const inline = /^-\w*[cer]\w*$|^--(eval|command|print)\b/;

// What is the host's own to a script on the host is the container's own here, and ends with it.
const ofContainer = /^bash\.(path\.(?!secret)\w+|exec|kill|mode|owner|trap)$/;

/** What bash's own rules say of it. The program of an image is the image's, and unknown here; code that stands in the manifest is not. */
async function judgeInnerScript(script: InnerScript): Promise<readonly Objection[]> {
  const holdsCode = 'text' in script || (script.words.some((word) => interpreter.test(word)) && script.words.some((word) => inline.test(word)));
  const judged = await validateBash('text' in script ? script.text : script.words.map(quote).join(' '));
  const told = holdsCode ? judged.findings : judged.findings.filter(({ rule }) => rule !== 'bash.inlineCode');
  if (told.length === 0 || (judged.result === 'review_plus' && !holdsCode)) return [];
  const result = judged.result === 'denied' && told.some(({ rule }) => !ofContainer.test(rule)) ? 'denied' : 'review_plus';
  return told.map(({ rule, reason, remedy }) => ({ result, finding: { rule, position: script.position, reason: `in a container: ${reason}`, remedy } }));
}

const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
