import { useEffect, useState } from 'react';

const COPIED_MS = 2_000;

/** What people approve, short to compare by eye and whole on demand. */
export function Digest({ digest }: { readonly digest: string }) {
  const [isWhole, setIsWhole] = useState(false);
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setIsCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  // The clipboard exists only where the page came over https or from this machine.
  const copy = (): void => void navigator.clipboard.writeText(digest).then(() => setIsCopied(true), () => setIsWhole(true));
  return (
    <span className="inline-flex flex-wrap items-center gap-x-4">
      <code className="font-mono text-sm">{isWhole ? digest : `${digest.slice(0, 12)}…`}</code>
      <button
        type="button"
        className="min-h-11 cursor-pointer text-accent underline"
        aria-pressed={isWhole}
        onClick={() => setIsWhole(!isWhole)}
      >
        Show whole digest
      </button>
      {'clipboard' in navigator && (
        <button type="button" className="min-h-11 cursor-pointer text-accent underline" onClick={copy}>
          {isCopied ? 'Copied' : 'Copy digest'}
        </button>
      )}
    </span>
  );
}
