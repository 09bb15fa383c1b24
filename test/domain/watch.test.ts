import { describe, expect, it } from '@jest/globals';
import type { Target } from '../../domain/watch.js';
import { withConfiguration } from '../../domain/watch.js';

const service = (name: string): Target => ({ kind: 'http', name, url: 'http://shop', detectors: [] });
const file = (name: string, ...serves: readonly string[]): Target => ({ kind: 'config-file', name, path: '/etc/shop.yaml', executor: null, serves, detectors: [] });
const targets = [service('checkout'), service('search'), file('checkout-config', 'checkout'), file('common-config', 'checkout', 'search')];

describe('what belongs together', () => {
  it.each([
    { what: 'a service and the files that serve it', names: ['search'], together: ['search', 'common-config'] },
    { what: 'a file and what it serves', names: ['checkout-config'], together: ['checkout-config', 'checkout'] },
    { what: 'each of them once', names: ['checkout', 'checkout-config'], together: ['checkout', 'checkout-config', 'common-config'] },
    { what: 'nothing else where no file serves it', names: ['other'], together: ['other'] },
  ])('is $what', ({ names, together }) => expect(withConfiguration(targets, names)).toEqual(together));
});
