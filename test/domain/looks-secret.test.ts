import { describe, expect, it } from '@jest/globals';
import { maskLines } from '../../domain/looks-secret.js';

describe('a line of a configuration file', () => {
  it.each([
    ['timeoutMs: 2000', 'timeoutMs: 2000'],
    ['  "poolSize": 10,', '  "poolSize": 10,'],
    ['  - name: checkout', '  - name: checkout'],
    ['# how long we wait', '# how long we wait'],
    ['  },', '  },'],
    ['---', '---'],
    ['port: 80 # public', 'port: 80 # public'],
    ['timeoutMs: 2000\r', 'timeoutMs: 2000\r'],
    ['features: [search, cart]', 'features: [search, cart]'],
    ['', ''],
  ])('that holds none is shown: %j', (line, shown) => {
    expect(maskLines(line)).toEqual([shown]);
  });

  it.each([
    ['  password: hunter2', '  password: •••'],
    ['  "apiKey": "abc",', '  "apiKey": •••'],
    ['API_TOKEN=abc', 'API_TOKEN= •••'],
    ['url: postgres://shop:hunter2@db/shop', 'url: •••'],
    ['database: { user: shop, password: hunter2 }', 'database: •••'],
    ['{"user":"shop","password":"hunter2"}', '•••'],
    ['    MIIEvQIBADANBgkqhkiG9w0BAQEFAASC', '    •••'],
    ['    MIIEvQIBADANBgkqhkiG9w0BAQEFAA==', '    •••'],
    ['    MIIEvQIBADANBgkqhkiG9w0BAQEFAAA=', '    •••'],
    ['    MIIEvQIBADANBgkqhkiG9w0BAQEFAA==\r', '    •••'],
    ['    admin:$2y$10$hash', '    •••'],
    ['# password: hunter2', '# •••'],
    ['  // the old password was hunter2', '  // •••'],
    ['# url: postgres://shop:hunter2@db/shop', '# •••'],
    ['# MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw', '# •••'],
    ['port: 80 # admin password hunter2', 'port: •••'],
    ['env: [{ name: DB_PASSWORD, value: hunter2 }]', 'env: •••'],
  ])('that may hold one is hidden: %j', (line, shown) => {
    expect(maskLines(line)).toEqual([shown]);
  });
});

describe('what stands below or beside a name that looks secret', () => {
  const cases: readonly (readonly [name: string, text: string, shown: string])[] = [
    ['members', 'db:\n  password:\n    value: x\n\n    # y\n    from:\n      file: z\n  port: 1', 'db:\n  password:\n    value: •••\n\n    # •••\n    from:\n      file: •••\n  port: 1'],
    ['a list that is not indented', 'tokens:\n- name: x\n  value: y\n- z\nport: 1', 'tokens:\n- name: •••\n  value: •••\n•••\nport: 1'],
    ['members of an item', '- secret:\n    value: x\n  port: 1\n- port: 2', '- secret:\n    value: •••\n  port: 1\n- port: 2'],
    ['text over several lines', 'apiKey: |\n  host: x\n  y\nport: 1', 'apiKey: •••\n  host: •••\n  •••\nport: 1'],
    ['JSON', '{\n  "password": {\n    "value": "x}"\n  },\n  "port": 1\n}', '{\n  "password": •••\n    "value": •••\n  },\n  "port": 1\n}'],
    ['JSON that is not indented', '{\n"password": {\n"value": "x}",\n"at": [\n"y"\n]\n},\n"port": 1\n}', '{\n"password": •••\n"value": •••\n"at": •••\n•••\n]\n},\n"port": 1\n}'],
    ['brackets of their own', '"password":\n{\n"value": "x"\n}\n"port": 1', '"password":\n{\n"value": •••\n}\n"port": 1'],
    ['members after a comment', 'password:\n# why\n  value: x\n# {\nport: 1', 'password:\n# why\n  value: •••\n# {\nport: 1'],
    ['objects of a list', '[\n{\n"password": "x"\n},\n{\n"port": 1\n}\n]', '[\n{\n"password": •••\n},\n{\n"port": 1\n}\n]'],
    ['a value beside its name', 'env:\n  - name: DB_PASSWORD\n    value: x\n  - name: PORT\n    value: 1', 'env:\n  - name: DB_PASSWORD\n    value: •••\n  - name: PORT\n    value: 1'],
    ['another document', 'password:\n  value: x\n---\nvalue: 1', 'password:\n  value: •••\n---\nvalue: 1'],
  ];
  it.each(cases)('is hidden, and nothing else: %s', (_name, text, shown) => {
    expect(maskLines(text).join('\n')).toBe(shown);
  });
});
