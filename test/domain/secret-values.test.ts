import { describe, expect, it } from '@jest/globals';
import { toSecretValues } from '../../domain/secret-values.js';

const pem = '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----\n';
const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{ name: demo, cluster: { server: "https://10.0.0.1:6443" } }]
users:
- name: ana
  user:
    client-key-data: ${btoa(pem)}
    token: "eyJhbGciOiJ"
`;

describe('a secret', () => {
  it.each([
    ['a token', 'ghp_16C7e42F292c\n', ['ghp_16C7e42F292c']],
    ['a URL of a database', 'postgres://ana:p%40ssw0rd@db:5432/shop', ['postgres://ana:p%40ssw0rd@db:5432/shop', 'p%40ssw0rd', 'p@ssw0rd']],
    ['a URL whose password is the name of its user', 'postgres://postgres:postgres@db/shop', ['postgres://postgres:postgres@db/shop']],
    ['a connection string of settings', "host=db password='two words' user=ana", ["host=db password='two words' user=ana", 'two words']],
    ['a URL that is a secret by its path', 'https://hooks.example/T0/B0/xyz', ['https://hooks.example/T0/B0/xyz']],
    ['a URL with a key', 'https://api.example/?api_key=abcdef1&page=10', ['https://api.example/?api_key=abcdef1&page=10', 'abcdef1']],
    ['an address alone', 'http://127.0.0.1:8080/', []],
    ['a kubeconfig', kubeconfig, [btoa(pem), pem, 'eyJhbGciOiJ']],
  ])('is looked for by its parts: %s', (_, text, values) => {
    expect(toSecretValues(text)).toEqual(values);
  });
});
