import type { RootCause } from './shapes.js';
import { categoryWords } from './words.js';

export function RootCauseSection({ cause }: { readonly cause: RootCause }) {
  return (
    <section className="card flex flex-col gap-3" aria-labelledby="root-cause">
      <h2 id="root-cause" className="text-lg font-semibold">
        Root cause
      </h2>
      <p>
        <strong className="font-semibold">{categoryWords[cause.category]}</strong>: {cause.details}
      </p>
      <p className="text-sm text-muted">
        Confidence {cause.confidence} of 100. Affects {cause.affectedSystems.join(', ')}.
      </p>
      <Facts title="Evidence" facts={cause.evidence} mono />
      <Facts title="Suggested actions" facts={cause.suggestedActions} />
    </section>
  );
}

function Facts({ title, facts, mono = false }: { readonly title: string; readonly facts: readonly string[]; readonly mono?: boolean }) {
  if (facts.length === 0) return null;
  return (
    <div>
      <h3 className="text-sm font-semibold text-muted">{title}</h3>
      <ul className={`list-disc pl-5 ${mono ? 'font-mono text-sm' : ''}`}>
        {facts.map((fact) => (
          <li key={fact}>{fact}</li>
        ))}
      </ul>
    </div>
  );
}
