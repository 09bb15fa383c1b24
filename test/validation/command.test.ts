import { describe, expect, it } from '@jest/globals';
import { readHostCommand, validateCommand } from '../../validation/command/validate-command.js';

describe('a command of a host', () => {
  it.each([
    ['systemctl restart nginx', { program: 'systemctl', verb: 'restart', unit: 'nginx' }],
    ['systemctl reload nginx.service', { program: 'systemctl', verb: 'reload', unit: 'nginx.service' }],
    ['systemctl start postgresql@15-main', { program: 'systemctl', verb: 'start', unit: 'postgresql@15-main' }],
    ["docker restart 'web-1'", { program: 'docker', verb: 'restart', container: 'web-1' }],
  ])('may be %s', (text, command) => {
    expect(readHostCommand(text)).toEqual({ ok: true, command });
    expect(validateCommand(text)).toEqual({ result: 'review', findings: [], reach: 'host' });
  });

  it.each([
    ['', 'commandLine.empty', 0],
    ['systemctl restart nginx; reboot', 'commandLine.shell', 24],
    ['systemctl restart $(id)', 'commandLine.shell', 19],
    ['systemctl restart nginx\nreboot', 'commandLine.oneLine', 24],
    ['systemctl restart *', 'commandLine.shell', 19],
    ['rm -rf /', 'command.program', 1],
    ['/usr/bin/systemctl restart nginx', 'command.program', 1],
    ['systemctl', 'command.verb', 1],
    ['systemctl stop nginx', 'command.verb', 11],
    ['systemctl --force restart nginx', 'command.verb', 11],
    ['docker start web', 'command.verb', 8],
    ['docker restart', 'command.object', 8],
    ['systemctl restart --all', 'command.object', 19],
    ["systemctl restart ''", 'command.object', 19],
    ["systemctl restart 'a b'", 'command.object', 19],
    ['systemctl restart nginx redis', 'command.more', 25],
    ['docker restart web -t 0', 'command.more', 20],
  ])('may not be %j', (text, rule, position) => {
    expect(validateCommand(text)).toMatchObject({ result: 'denied', findings: [{ rule, position, reason: expect.stringMatching(/\w+ \w+/), remedy: expect.stringMatching(/\w+ \w+/) }] });
  });
});
