import type { Chance } from '../chance.js';
import { encodings, type Planted, toParts } from './planted.js';

/** A text that a script prints: up to `cut` bytes, and then, perhaps after a pause, the rest. */
export interface Print {
  readonly text: string;
  readonly cut: number;
}

const frames: readonly ((written: string) => string)[] = [
  (written) => `${written}\n`,
  (written) => `key="${written}" and more of the line\n`,
  (written) => `${written}${written}\n`,
  (written) => `at ${written}, `,
];

/** Every secret and its parts in every encoding, each cut somewhere: before it, behind it, or anywhere within, in the middle of a character too. */
export const toPrints = (planted: readonly Planted[], chance: Chance): readonly Print[] =>
  planted.flatMap((secret) => [...toParts(secret), secret.value]).flatMap((value) =>
    Object.values(encodings).map((encode) => {
      const text = chance.pick(frames)(encode(value));
      return { text, cut: chance.below(Buffer.byteLength(text) + 1) };
    }),
  );

const PRINT = `
def put(text, cut, wait):
    data = text.encode()
    os.write(1, data[:cut])
    if wait: time.sleep(0.002)
    os.write(1, data[cut:])
`;

/** Prints what stands in the file `prints.json` of its folder, and leaves files behind whose names are secrets. */
export const printing = (folder: string, file: string): string => `import json, os, time
${PRINT}
folder = ${JSON.stringify(folder)}
for number, each in enumerate(json.load(open(folder + '/prints.json'))):
    put(each['text'], each['cut'], number % 4 == 0)
for name in json.load(open(folder + '/names.json')):
    open(folder + '/' + name, 'w').close()
with open(${JSON.stringify(file)}, 'a') as service:
    service.write('fixed\\n')
`;

/** Prints the secrets that it was given, cut in the middle with a pause. */
export const given = (file: string): string => `import base64, json, os, time, urllib.parse
${PRINT}
for name in sorted(os.listdir('/run/secrets')):
    value = open('/run/secrets/' + name, 'rb').read()
    text = value.decode()
    utf16 = text.encode('utf-16-be')
    forms = [text, base64.b64encode(value).decode(), base64.urlsafe_b64encode(value).decode(), urllib.parse.quote(text, safe=''), value.hex(), value.hex().upper(), json.dumps(text), ''.join('\\\\u%02x%02x' % (utf16[at], utf16[at + 1]) for at in range(0, len(utf16), 2))]
    for form in forms:
        put(form + '\\n', len(form.encode()) // 2, True)
with open(${JSON.stringify(file)}, 'a') as service:
    service.write('fixed\\n')
`;

/** Dies of an error that tells all. */
export const failing = (folder: string): string => `import json
raise RuntimeError(' '.join(each['text'] for each in json.load(open(${JSON.stringify(folder)} + '/prints.json'))))
`;
