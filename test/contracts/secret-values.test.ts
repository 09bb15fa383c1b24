import { describe, expect, it } from '@jest/globals';
import { toSecretValues } from '../../contracts/secret-values.js';

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
    ['a kubeconfig with a key that is no base64', kubeconfig.replace(btoa(pem), '?not base64?'), ['?not base64?', 'eyJhbGciOiJ']],
  ])('is looked for by its parts: %s', (_, text, values) => {
    expect(toSecretValues(text)).toEqual(values);
  });

  it.each([
    ['JSON', '{"username":"service-user","password":"hun\\"ter2"}', ['hun"ter2'], ['service-user']],
    ['JSON whose password is a number', '{"password":12345678901234567890,"port":5432123}', ['12345678901234567890'], ['5432123']],
    ['the file of a service account', JSON.stringify({ type: 'service_account', private_key: pem, client_email: 'a@example.org' }), [pem], ['service_account', 'a@example.org']],
    ['YAML', 'username: service-user\npassword: my pass word\nhosts: [db-one-1, db-two-2]\n', ['my pass word'], ['service-user', 'db-one-1']],
    ['JSON within JSON', JSON.stringify({ content: JSON.stringify({ user: 'service-user', token: 'abc-def-1' }) }), ['abc-def-1'], ['service-user']],
    ['an address within JSON', '{"url":"redis://:p%40ssword@cache:6379/0"}', ['p%40ssword', 'p@ssword'], []],
    ['what says in one member what the other is', '{"env":[{"name":"API_TOKEN","value":"abc-def-1"},{"name":"REGION","value":"eu-west-1"}]}', ['abc-def-1'], ['eu-west-1']],
    ['a Secret of Kubernetes', `kind: Secret\ndata: { api: ${btoa('hunter2 and on!!')} }\n`, [btoa('hunter2 and on!!'), 'hunter2 and on!!'], []],
    ['a file of settings', '# settings\nDB_HOST=db-one-1.internal\nexport DB_PASSWORD=my pass word\nAPI_TOKEN="a \\"quoted\\" one"\nDATABASE_URL=postgres://ana:hunter2x@db/shop\n', ['my pass word', 'a "quoted" one', 'hunter2x'], ['db-one-1.internal']],
    ['a .pgpass', 'db-one-1:5432:orders:service:hun\\:ter2\n*:*:*:service:other-one\n', ['hun:ter2', 'hun\\:ter2', 'other-one'], ['service', 'db-one-1']],
    [
      'a kubeconfig with a plugin',
      'kind: Config\nusers:\n- name: ana\n  user:\n    password: "my pass word"\n    client-key: /home/ana/client.key\n    exec:\n      command: get-token\n      args: [login, --client-secret, abc-def-1]\n      env: [{ name: AWS_SECRET_ACCESS_KEY, value: hunter2x }, { name: AWS_REGION, value: eu-west-1 }]\n',
      ['my pass word', 'hunter2x', 'abc-def-1'],
      ['/home/ana/client.key', 'eu-west-1', 'get-token', 'kind: Config'],
    ],
  ])('is known by what is in it, and what is beside that is not: %s', (_, text, secret, open) => {
    const values = toSecretValues(text);
    expect(secret.filter((value) => !values.includes(value))).toEqual([]);
    expect(open.filter((value) => values.includes(value))).toEqual([]);
  });
});
