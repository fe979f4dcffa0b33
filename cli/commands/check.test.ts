import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { FROM_SOURCES, Place } from '../testing/keepstate.ts';

const place = new Place();
afterAll(() => place.end());

const NFT = `table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		tcp dport 22 accept
	}
}
`;
const SAVE = `*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`;

describe('check', () => {
  test.each([
    ['nft', 'rules.nft', `#!/usr/sbin/nft -f\ndefine ssh = 22\n${NFT.replace('22', '$ssh')}`, NFT],
    ['iptables-save', 'rules.v4', SAVE, SAVE],
    [
      'a shell script',
      'rules.sh',
      '#!/bin/sh\niptables -P INPUT DROP\niptables -A INPUT -p tcp --dport ssh -j ACCEPT\n',
      SAVE,
    ],
    ['ipset', 'sets', 'create a hash:ip\nadd a 10.0.0.1\n', null],
  ])('lists %s back as its tool does', async (_kind, name, text, listing) => {
    const ran = await place.run('check', '--list', place.file(name, text));
    expect(ran.err).toMatch(/\d rules? in /);
    expect(ran.status).toBe(0);
    if (listing === null) expect(ran.lines).toContain('add a 10.0.0.1');
    else expect(ran.out).toBe(listing);
  });

  test('reads the files that a script names, and warns of what it does not follow', async () => {
    place.file('fw.conf', 'PORT=22\n');
    const text =
      '#!/bin/sh\n. ./fw.conf\nip link set lo up\nnft add table ip t\niptables -A INPUT -p tcp --dport $PORT -j DROP\n';
    const ran = await place.run('check', '--list', place.file('fw.sh', text));
    expect(ran).toMatchObject({
      status: 0,
      err: expect.stringContaining("Warning: what 'ip' does is not followed"),
    });
    expect(ran.lines).toContain('-A INPUT -p tcp -m tcp --dport 22 -j DROP');
    expect(ran.lines).toContain('table ip t {');
  });

  test('lists JSON as nft -j does, and reads it back', async () => {
    const json = await place.run('check', '--list', '--json', place.file('a.nft', NFT));
    expect(JSON.parse(json.out).nftables[0].metainfo.json_schema_version).toBe(1);
    const back = await place.run('check', '--list', place.file('a.json', json.out));
    expect(back).toMatchObject({ status: 0, out: NFT });
  });

  test('shows every error with its line, carets and a suggestion, and ends with status 1', async () => {
    const text =
      'table ip t {\n\tchain c {\n\t\tct state establishd accept\n\t\ttcp dport 99999 drop\n\t}\n}\n';
    const file = place.file('bad.nft', text);
    const { status, err, out } = await place.run('check', '--list', file);
    expect(status).toBe(1);
    expect(out).toBe('');
    const lines = err.split('\n');
    expect(lines[0]).toMatch(`${file}:3:12-21: Error: `);
    expect(lines.slice(1, 4)).toEqual([
      '\t\tct state establishd accept',
      '\t\t         ^^^^^^^^^^',
      "did you mean 'established'?",
    ]);
    expect(lines[4]).toMatch(`${file}:4:`);
  });

  test('reports errors as JSON', async () => {
    const file = place.file('bad.v4', SAVE.replace('--dport', '--dprt'));
    const { status, lines } = await place.run('check', '--json', file);
    expect(status).toBe(1);
    expect(JSON.parse(lines[0]!).error).toMatchObject({ file, line: 5 });
  });

  test('reads files that include others, and variables of the command line', async () => {
    place.file('ports.nft', 'define web = { 80, 443 }\n');
    const main = place.file(
      'main.nft',
      `include "./ports*.nft"\n${NFT.replace('22', '$web').replace('established', '$s')}`,
    );
    const { status, out } = await place.run('check', '--list', '-D', 's=established', main);
    expect(status).toBe(0);
    expect(out).toContain('tcp dport { 80, 443 } accept');
  });

  test('says what --lint finds, with the place and how to mend it', async () => {
    const file = place.file(
      'lint.v4',
      SAVE.replace('COMMIT', '-A INPUT -p tcp -m tcp --dport 22 -j DROP\nCOMMIT'),
    );
    const text = await place.run('check', '--lint', file);
    expect(text.status).toBe(1);
    expect(text.out).toContain(`${file}:6:1-`);
    const json = await place.run('check', '--lint', '--json', file);
    expect(json.lines.map((line) => JSON.parse(line).finding)).toContain('shadowed');
  });

  test('refuses with --strict what it cannot evaluate', async () => {
    const file = place.file(
      'strict.nft',
      'add table ip t\nadd chain ip t c\nadd rule ip t c tcp dport 80 dnat to 10.0.0.1\n',
    );
    const lax = await place.run('check', file);
    expect(lax.status).toBe(0);
    const socket =
      'table ip t { chain c { type filter hook prerouting priority 0; socket transparent 1 drop; }; }\n';
    const { status, err } = await place.run('check', '--strict', place.file('socket.nft', socket));
    expect(status).toBe(1);
    expect(err).toContain('cannot evaluate');
  });

  test.each([
    ['nft', 'table ip t { chain c { type filter hook output priority 0; meta skuid 1000 drop; }; }\n'],
    ['iptables-save', '*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m owner --uid-owner 1000 -j DROP\nCOMMIT\n'],
  ])('refuses with --strict what it knows of some packets only (%s)', async (kind, text) => {
    const { status, err } = await place.run('check', '--strict', place.file(kind, text));
    expect(status).toBe(1);
    expect(err).toContain('which process the packet belongs to is not known');
  });

  test('tells of all files what is wrong, of one that is not there as well', async () => {
    const wrong = place.file('wrong.nft', 'table ip t {\n\tchain c {\n\t\taccpt\n\t}\n}\n');
    const { status, err } = await place.run('check', wrong, `${wrong}.no`, wrong);
    expect(status).toBe(2);
    expect(err.split('\n').filter((line) => /:3:\d+.*(rror|xpected)/.test(line)).length).toBeGreaterThan(1);
    expect(err).toContain(`cannot read ${wrong}.no`);
  });

  test('says that rules of iptables are not part of --list --json', async () => {
    const { status, err } = await place.run('check', '--list', '--json', place.file('v4.rules', SAVE));
    expect(status).toBe(0);
    expect(err).toContain('have no JSON');
  });

  test('says what it needs when nothing is named', async () => {
    expect(await place.run('check')).toMatchObject({ status: 2 });
    expect((await place.run('check', '--kind', 'nf', 'x')).err).toContain("'nf'");
  });
});

describe('check, of what is no ruleset,', () => {
  const utf16 = Buffer.from(`\ufeff${NFT}`, 'utf16le');
  test.each([
    ['a capture', new Uint8Array([0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 10, 10]), 'no text'],
    ['UTF-16', utf16, 'UTF-16'],
    ['UTF-16 without a byte order mark', utf16.subarray(2), 'UTF-16'],
    ['UTF-8 with a byte order mark', `\ufeff${NFT}`, 'byte order mark'],
  ])('says so once: %s', async (_what, bytes, why) => {
    const { status, err, out } = await place.run('check', place.file('x', bytes));
    expect([status, out]).toEqual([2, '']);
    expect(err).toContain(why);
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  test('does not show control characters to a terminal', async () => {
    const { err } = await place.run('check', place.file('esc.nft', 'frob \x1b[2J\n'));
    expect(err).not.toContain('\x1b');
    expect(err).toContain('frob ␛[2J');
  });
});

describe('include', () => {
  test('of a folder or of a link to nowhere is an error with its place', async () => {
    const main = place.file('folder.nft', 'add table ip t\ninclude "./"\n');
    const { status, err } = await place.run('check', main);
    expect(status).toBe(1);
    expect(err).toContain(`${main}:2:1-`);
  });

  test('looks in the folders for includes, and in that of the file only if it is nowhere else', async () => {
    const main = place.file('main.nft', 'include "part.nft"\ninclude "own.nft"\n');
    place.file('part.nft', 'add table ip beside\n');
    place.file('own.nft', 'add table ip own\n');
    mkdirSync(join(dirname(main), 'parts'), { recursive: true });
    place.file('parts/part.nft', 'add table ip part\n');
    const { out, status } = await place.run(
      'check',
      '--list',
      '--include-path',
      join(dirname(main), 'parts'),
      main,
    );
    expect(status).toBe(0);
    expect(out.match(/table ip (\w+)/g)).toEqual(['table ip part', 'table ip own']);
  });

  test('of a path with a dot does not look in /etc', async () => {
    const { status, err } = await place.run('check', place.file('etc.nft', 'include "./hostname"\n'));
    expect(status).toBe(1);
    expect(err).toContain('file not found: ./hostname');
  });
});

describe('check --batch', () => {
  test('says that a folder holds no requests', () => {
    const stdin = openSync(place.folder, 'r');
    const { status, stderr } = spawnSync(process.execPath, [...FROM_SOURCES, 'check', '--batch'], {
      stdio: [stdin, 'pipe', 'pipe'],
      encoding: 'utf8',
    });
    closeSync(stdin);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'keepstate: cannot read standard input: it is a directory\n',
    });
  });

  test('takes no files, which it would not read', async () => {
    const { status, err } = await place.run('check', '--batch', 'rules.nft');
    expect(status).toBe(2);
    expect(err).toContain('standard input');
  });

  test('answers each request on its own', () => {
    const requests = [
      { id: 1, kind: 'nft', script: NFT },
      { id: 'two', kind: 'iptables', script: 'iptables -A INPUT -p tcp --dport 22 -j ACCEPT' },
      { id: 3, kind: 'iptables-save', script: SAVE.replace('tcp', 'tpc') },
      { id: 4, kind: 'pf', script: '' },
      { id: 'bare', kind: 'ip6tables', script: '-A INPUT -p icmpv6 -j DROP' },
    ];
    const input = `${requests.map((r) => JSON.stringify(r)).join('\n')}\nno json\n`;
    const { lines, status } = place.spawn(['check', '--batch'], input);
    expect(status).toBe(0);
    const answers = lines.map((line) => JSON.parse(line));
    expect(answers.map((a) => [a.id, a.ok])).toEqual([
      [1, true],
      ['two', true],
      [3, false],
      [4, false],
      ['bare', true],
      [null, false],
    ]);
    expect(answers[4].listing).toContain('-A INPUT -p ipv6-icmp -j DROP');
    expect(answers[0].listing).toBe(NFT);
    expect(answers[1].listing).toContain('-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT');
    expect(answers[2]).toMatchObject({ listing: null });
    expect(answers[2].error).toContain('script:5:');
  });
});
