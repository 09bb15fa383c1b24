import { useVirtualizer } from '@tanstack/react-virtual';
import { useLayoutEffect, useMemo, useRef, useState, type UIEvent } from 'react';
import { describeTrouble } from './api.js';
import { Badge } from './badge.js';
import { Button } from './button.js';
import { formatMoment } from './clock.js';
import { OutputLine } from './output-line.js';
import { toPlainText } from './plain-text.js';
import type { IncidentUpdate, TailEntry } from './shapes.js';
import type { TailState } from './tail-stream.js';
import type { Tail } from './use-tail.js';
import { kindWords, toIcon } from './words.js';

type Row =
  | { readonly key: string; readonly kind: 'update'; readonly update: IncidentUpdate }
  | { readonly key: string; readonly kind: 'line'; readonly number: number; readonly isError: boolean; readonly text: string };

function toRows(entry: TailEntry): readonly Row[] {
  switch (entry.event) {
    case 'update':
      return [{ key: `${entry.seq}`, kind: 'update', update: entry.data }];
    case 'output': {
      const { text, stream, firstLine } = entry.data;
      const lines = text.replace(/\n$/, '').split('\n');
      return lines.map((line, index) => ({
        key: `${entry.seq}.${index}`,
        kind: 'line',
        number: firstLine + index,
        isError: stream === 'stderr',
        text: line,
      }));
    }
    case 'done':
      return [];
  }
}

// Few enough to draw at once, so that a short tail is whole for search and for screen readers.
const OVERSCAN_ROWS = 150;
const END_PX = 32;

/** What happens, as it happens. It follows the newest row only while the reader is there. */
export function JobTail({ tail }: { readonly tail: Tail }) {
  const rows = useMemo(() => tail.entries.flatMap(toRows), [tail.entries]);
  const log = useRef<HTMLDivElement>(null);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const settled = useRef({ top: 0, height: 0 });
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => log.current,
    estimateSize: (index) => (rows[index]?.kind === 'line' ? 20 : 64),
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: OVERSCAN_ROWS,
    useFlushSync: false,
  });
  const shown = virtualizer.getVirtualItems();
  const heightPx = virtualizer.getTotalSize();
  const goToEnd = (): void => log.current?.scrollTo({ top: log.current.scrollHeight });
  useLayoutEffect(() => {
    if (isAtEnd) goToEnd();
    settled.current = { top: log.current?.scrollTop ?? 0, height: log.current?.scrollHeight ?? 0 };
  }, [isAtEnd, rows.length, heightPx]);
  const hearScroll = ({ currentTarget: { scrollHeight, scrollTop, clientHeight } }: UIEvent): void => {
    // Rows that turn out taller than estimated also move the end away; only going up without that is the reader.
    const isReader = scrollHeight === settled.current.height && scrollTop < settled.current.top;
    settled.current = { top: scrollTop, height: scrollHeight };
    if (scrollHeight - scrollTop - clientHeight < END_PX) setIsAtEnd(true);
    else if (isReader) setIsAtEnd(false);
  };
  return (
    <section className="card flex h-full min-h-0 flex-col gap-2" aria-labelledby="job-tail">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h2 id="job-tail" className="text-lg font-semibold">
          Job tail
        </h2>
        <p role="status" className="text-sm">
          <Connection state={tail.state} />
        </p>
      </div>
      <div className="relative min-h-0 grow">
        <div
          ref={log}
          role="log"
          aria-label="Job tail"
          // Scrolling back draws old rows again, which are no news.
          aria-live={isAtEnd ? 'polite' : 'off'}
          tabIndex={0}
          className="h-full overflow-y-auto rounded-md border border-line bg-well p-3 [overflow-anchor:none]"
          onScroll={hearScroll}
        >
          {rows.length === 0 && <p className="text-muted">Nothing told yet.</p>}
          <div style={{ paddingTop: shown[0]?.start ?? 0, paddingBottom: Math.max(0, heightPx - (shown.at(-1)?.end ?? 0)) }}>
            {shown.map(({ index, key }) => {
              const row = rows[index];
              return (
                row !== undefined && (
                  <div key={key} data-index={index} ref={virtualizer.measureElement}>
                    {row.kind === 'update' ? <UpdateRow update={row.update} /> : <LineRow row={row} />}
                  </div>
                )
              );
            })}
          </div>
        </div>
        {!isAtEnd && (
          <div className="absolute right-4 bottom-3">
            <Button onClick={goToEnd}>Newest ↓</Button>
          </div>
        )}
      </div>
    </section>
  );
}

function Connection({ state }: { readonly state: TailState }) {
  switch (state.kind) {
    case 'connecting':
      return <span className="text-muted">Connecting…</span>;
    case 'live':
      return <span className="text-good">● Live</span>;
    case 'reconnecting':
      return <span className="font-semibold text-warn">Reconnecting…</span>;
    case 'ended':
      return <span className="text-muted">Ended</span>;
    case 'failed':
      return <span className="text-bad">{state.error instanceof Error ? describeTrouble(state.error) : 'It cannot be read.'}</span>;
  }
}

function UpdateRow({ update }: { readonly update: IncidentUpdate }) {
  const kind = kindWords[update.kind];
  return (
    <article className="py-1.5">
      <p className="flex items-baseline gap-x-2">
        <span aria-hidden className="w-5 shrink-0">
          {toIcon(update)}
        </span>
        <span className="min-w-0 font-mono text-sm font-semibold">
          {update.phase} [{update.status}]
        </span>
        {kind !== undefined && <Badge tone="plain">{kind}</Badge>}
        <time dateTime={update.createdAt} title={formatMoment(update.createdAt)} className="ml-auto shrink-0 text-xs text-muted tabular-nums">
          {formatClock(update.createdAt)}
        </time>
      </p>
      <p className="pl-7 text-sm whitespace-pre-wrap">{toPlainText(update.text)}</p>
    </article>
  );
}

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const formatClock = (at: string): string => clock.format(new Date(at));

function LineRow({ row }: { readonly row: Extract<Row, { kind: 'line' }> }) {
  return (
    <p className="flex gap-2 font-mono text-sm/5">
      <span aria-hidden className="min-w-8 shrink-0 text-right text-muted tabular-nums select-none">
        {row.number}
      </span>
      <span className="min-w-0 whitespace-pre-wrap">
        {row.isError && <span className="font-semibold text-warn">stderr: </span>}
        <OutputLine text={row.text} />
      </span>
    </p>
  );
}
