import { type Planted, toNeedles } from './planted.js';

// So many characters of each are looked up; no needle is shorter.
const KEY = 8;

interface Needle {
  readonly secret: string;
  readonly encoding: string;
  readonly text: string;
}

/** What was found where: the secret's name and its encoding. */
export interface Find {
  readonly secret: string;
  readonly encoding: string;
  readonly place: string;
}

/** Looks for planted secrets in texts, in a way of its own: by the first characters of each. */
export function createSearch(planted: readonly Planted[]) {
  const needles = new Map<string, Needle[]>();
  for (const secret of planted) {
    for (const [encoding, text] of toNeedles(secret)) {
      const key = text.slice(0, KEY);
      needles.set(key, [...(needles.get(key) ?? []), { secret: secret.name, encoding, text }]);
    }
  }
  const found = new Map<string, Find>();
  let characters = 0;

  function lookIn(place: string, text: string): void {
    characters += text.length;
    for (let at = 0; at + KEY <= text.length; at += 1) {
      for (const { secret, encoding, text: needle } of needles.get(text.slice(at, at + KEY)) ?? []) {
        if (text.startsWith(needle, at)) found.set(`${place} ${secret} ${encoding}`, { secret, encoding, place });
      }
    }
  }

  return {
    /** Looks at a value and all that is in it: members and their names, bytes as text, and the text of what is itself JSON. */
    look(place: string, value: unknown): void {
      if (typeof value === 'string') {
        lookIn(place, value);
        const inner = readJson(value);
        if (inner !== undefined) this.look(place, inner);
      } else if (value instanceof Uint8Array) this.look(place, Buffer.from(value).toString('utf8'));
      else if (Array.isArray(value)) value.forEach((each) => this.look(place, each));
      else if (typeof value === 'object' && value !== null) for (const [name, each] of Object.entries(value)) [name, each].forEach((part) => this.look(place, part));
    },
    found: (): readonly Find[] => [...found.values()],
    characters: () => characters,
  };
}

export type Search = ReturnType<typeof createSearch>;

function readJson(text: string): object | undefined {
  if (!/^\s*[[{"]/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
