import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { projectRoot } from '../cli/local/config.js';
import { searchAttributeNames } from '../contracts/search-attributes.js';

interface Service {
  readonly image: string;
  readonly ports?: readonly string[];
  readonly command?: readonly string[];
}

const file: { readonly services: Readonly<Record<string, Service>> } = parse(readFileSync(join(projectRoot, 'docker-compose.temporal.yml'), 'utf8'), { merge: true });
const services = Object.entries(file.services);

// The linter for Compose files carries the schema of the Compose specification.
const linter = dirname(dirname(createRequire(import.meta.url).resolve('dclint')));
const schema = JSON.parse(readFileSync(join(linter, 'schemas/compose.schema.json'), 'utf8'));

describe('docker-compose.temporal.yml', () => {
  it('fits the schema of the Compose specification', () => {
    const validate = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile({ ...schema, $schema: undefined });
    validate(file);
    expect(validate.errors).toBeNull();
  });

  it('says nothing that the schema does not know', () => {
    const validate = new Ajv({ strict: false, validateFormats: false }).compile({ ...schema, $schema: undefined });
    expect(validate({ ...file, services: { temporal: { imagge: 'x' } } })).toBe(false);
  });

  it('is reached from this machine only', () => {
    for (const port of services.flatMap(([, { ports = [] }]) => ports)) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('names an exact release of each of Temporal\'s images, and not the deprecated one', () => {
    for (const image of services.map(([, { image }]) => image).filter((name) => name.startsWith('temporalio/'))) {
      expect(image).toMatch(/^temporalio\/(server|admin-tools|ui):\d+\.\d+\.\d+$/);
    }
  });

  it('makes every search attribute that the workflows use', () => {
    const script = file.services['namespace']?.command?.join('\n') ?? '';
    for (const name of searchAttributeNames) expect(script).toContain(name);
  });
});
