import { describe, expect, it } from '@jest/globals';
import { maskLine } from '../../domain/looks-secret.js';

describe('a line of a configuration file', () => {
  it.each([
    ['timeoutMs: 2000', 'timeoutMs: 2000'],
    ['  "poolSize": 10,', '  "poolSize": 10,'],
    ['  - name: checkout', '  - name: checkout'],
    ['# how long we wait', '# how long we wait'],
    ['  },', '  },'],
    ['', ''],
  ])('that holds none is shown: %j', (line, shown) => {
    expect(maskLine(line)).toBe(shown);
  });

  it.each([
    ['  password: hunter2', '  password: •••'],
    ['  "apiKey": "abc",', '  "apiKey": •••'],
    ['API_TOKEN=abc', 'API_TOKEN= •••'],
    ['url: postgres://shop:hunter2@db/shop', 'url: •••'],
    ['database: { user: shop, password: hunter2 }', 'database: •••'],
    ['{"user":"shop","password":"hunter2"}', '•••'],
    ['    MIIEvQIBADANBgkqhkiG9w0BAQEFAASC', '•••'],
  ])('that may hold one is hidden: %j', (line, shown) => {
    expect(maskLine(line)).toBe(shown);
  });
});
