import { describe, expect, it } from '@jest/globals';
import { readOidcYaml } from '../../contracts/oidc-yaml.js';

const good = `
issuer: https://id.example.org/realms/sre
audience: sluice
groups:
  sre-oncall: { workspace: default, role: responder }
`;
const read = (text: string) => readOidcYaml(text, 'oidc.yaml');

describe('the file that SLUICE_OIDC names', () => {
  it('says whose tokens count, with claims that most issuers have', () => {
    expect(read(good)).toEqual({
      issuer: 'https://id.example.org/realms/sre',
      audience: 'sluice',
      personClaim: 'email',
      groupsClaim: 'groups',
      groups: { 'sre-oncall': { workspace: 'default', role: 'responder' } },
    });
  });

  it('is refused with every mistake in one error', () => {
    const wrong = () => read('issuer: https://x\naudience: ""\ngroup: {}\ngroups:\n  a: { workspace: default, role: boss, extra: 1 }\n  b: {}\n');
    for (const mistake of [/oidc\.yaml, which SLUICE_OIDC names, is wrong/, /audience/, /group is unknown/, /groups\.a\.role/, /groups\.a\.extra is unknown/, /groups\.b/]) expect(wrong).toThrow(mistake);
    expect(() => read('issuer: https://x\naudience: a\ngroups: {}')).toThrow(/groups/);
    expect(() => read('')).toThrow(/SLUICE_OIDC/);
    expect(() => read(`${good}audience: twice`)).toThrow(/unique/);
  });

  it.each(['http://127.0.0.1:9000', 'http://localhost:9000/op', 'http://[::1]:9000'])('may name an issuer on this machine without TLS: %s', (issuer) => {
    expect(read(good.replace('https://id.example.org/realms/sre', issuer)).issuer).toBe(issuer);
  });

  it.each(['http://id.example.org', 'http://127.0.0.1.example.org', 'http://localhost.example.org', 'ftp://id.example.org', 'id.example.org', 'https://u:p@id.example.org', 'https://id.example.org?a=b', 'https://id.example.org#x'])(
    'may not name the issuer %s',
    (issuer) => {
      expect(() => read(good.replace('https://id.example.org/realms/sre', `"${issuer}"`))).toThrow(/issuer must be an https address/);
    },
  );
});
