import { toPlainText } from './plain-text.js';
import type { Step } from './shapes.js';

/** Whether what it would touch is a text, so that its rehearsal is a unified diff. */
const isDocument: Readonly<Record<Step['type'], boolean>> = { sql: false, 'config-patch': true, kubernetes: true, kubectl: true, command: false, bash: false, python: false };

/** What a step would touch, one line each; of a file or an object, the difference that it would make. */
export function Rehearsal({ step, lines }: { readonly step: Step; readonly lines: readonly string[] }) {
  // Above the first hunk a sign means nothing.
  const firstHunk = isDocument[step.type] ? lines.findIndex((line) => line.startsWith('@@ ')) : -1;
  const isOfHunk = (index: number): boolean => firstHunk >= 0 && index > firstHunk;
  return (
    <>
      <h4 className="text-sm font-semibold text-muted">What it would touch, read without effect</h4>
      {lines.length === 0 ? (
        <p className="text-sm font-semibold text-warn">The rehearsal found nothing.</p>
      ) : (
        <ul aria-label={`Rehearsal of step ${step.stepId}`} className="font-mono text-sm wrap-anywhere whitespace-pre-wrap">
          {lines.map((line, index) => (
            <li key={index}>{isOfHunk(index) ? <DifferenceLine line={toPlainText(line)} /> : toPlainText(line)}</li>
          ))}
        </ul>
      )}
    </>
  );
}

/** One line of a unified diff. Its sign says what it is; the colour only helps to find it. */
function DifferenceLine({ line }: { readonly line: string }) {
  if (line.startsWith('+')) return <ins className="block border-l-4 border-good bg-good/10 pl-1 no-underline">{line}</ins>;
  if (line.startsWith('-')) return <del className="block border-l-4 border-bad bg-bad/10 pl-1 no-underline">{line}</del>;
  return <span className="block border-l-4 border-transparent pl-1">{line}</span>;
}
