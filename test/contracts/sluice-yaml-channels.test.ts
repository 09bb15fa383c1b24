import { describe, expect, it } from '@jest/globals';
import { readSluiceYaml } from '../../contracts/sluice-yaml.js';

const whole = `version: 1
workspaces:
  shop:
    targets: {}
    channels:
      hook:
        kind: webhook
        url: https://hooks.example/sluice
        secret: { env: HOOK_SECRET }
        groups: [responders]
      ops:
        kind: slack
        token: { file: /run/secrets/slack }
        channel: C0123ABCD
        groups: [responders, supervisors]
`;

describe('the channels of a sluice.yaml', () => {
  it('are read with what is not said', () => {
    expect(readSluiceYaml(whole)[0]?.channels).toEqual([
      { kind: 'webhook', name: 'hook', url: 'https://hooks.example/sluice', secret: { env: 'HOOK_SECRET' }, groups: ['responders'] },
      { kind: 'slack', name: 'ops', api: 'https://slack.com/api', token: { file: '/run/secrets/slack' }, channel: 'C0123ABCD', groups: ['responders', 'supervisors'] },
    ]);
  });

  it('may have an address that is a secret, and another Slack', () => {
    const text = whole.replace('https://hooks.example/sluice', '{ env: HOOK_URL }').replace('channel: C0123ABCD', 'channel: C0123ABCD\n        api: http://127.0.0.1:1/api');
    expect(readSluiceYaml(text)[0]?.channels).toMatchObject([{ url: { env: 'HOOK_URL' } }, { api: 'http://127.0.0.1:1/api' }]);
  });

  it('are none where none are named', () => {
    expect(readSluiceYaml(whole.replace(/ {4}channels:[\s\S]*/, ''))[0]?.channels).toEqual([]);
  });

  it.each([
    { mistake: 'a secret in plain', text: whole.replace('{ env: HOOK_SECRET }', 'whsec_abc'), says: /line 9: .*channels\.hook\.secret/ },
    { mistake: 'a webhook without its secret', text: whole.replace('secret: { env: HOOK_SECRET }', ''), says: /line 7: .*channels\.hook is of kind webhook and needs secret$/ },
    { mistake: 'an address that is none', text: whole.replace('https://hooks', 'ftp://hooks'), says: /line 8: .*channels\.hook\.url/ },
    { mistake: 'an address that others can read on the way', text: whole.replace('https://hooks', 'http://hooks'), says: /line 8: .*channels\.hook\.url .*must be an https address; http only for this machine itself/s },
    { mistake: 'a Slack that others can read on the way', text: whole.replace('channel: C0123ABCD', 'channel: C0123ABCD\n        api: http://slack.example/api'), says: /line 15: .*channels\.ops\.api must be an https address/ },
    { mistake: 'an address that only looks like this machine', text: whole.replace('https://hooks.example', 'http://127.0.0.1.example'), says: /line 8: .*channels\.hook\.url/ },
    { mistake: 'a channel by its name', text: whole.replace('C0123ABCD', '"#ops"'), says: /line 14: .*channels\.ops\.channel/ },
    { mistake: 'a Slack channel without its token', text: whole.replace('token: { file: /run/secrets/slack }', ''), says: /line 12: .*channels\.ops is of kind slack and needs token$/ },
    { mistake: 'a key of the other kind', text: whole.replace('channel: C0123ABCD', 'channel: C0123ABCD\n        secret: { env: X }'), says: /line 15: .*channels\.ops\.secret does not belong to kind slack$/ },
    { mistake: 'a channel that tells nobody', text: whole.replace('[responders]', '[]'), says: /line 10: .*channels\.hook\.groups must not have fewer than 1 items/ },
    { mistake: 'a kind that there is not', text: whole.replace('kind: slack', 'kind: pager'), says: /line 12: .*channels\.ops\.kind/ },
  ])('name the line of $mistake', ({ text, says }) => expect(() => readSluiceYaml(text)).toThrow(says));
});
