/** examples/custom-helper: the program prints what its output.txt says, and its helper does what the README promises. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Talk } from '../../engine/helper/testing.mts';
import { Ruleset } from '../../engine/hook/ruleset.ts';
import { report } from '../../examples/custom-helper/main.ts';
import { RSH_HELPER } from '../../examples/custom-helper/rsh.ts';

const OUTPUT = new URL('../../examples/custom-helper/output.txt', import.meta.url);

function session(masqueraded = false): Talk {
  return new Talk('rsh', 'tcp', 514, { masqueraded, helpers: [RSH_HELPER] });
}

describe('examples/custom-helper', () => {
  test('prints what output.txt says', () => {
    expect(report()).toBe(readFileSync(OUTPUT, 'utf8'));
  });

  test('expects the connection to the port that the client names', () => {
    const talk = session();
    talk.up('1020\0user\0');
    expect(talk.expected()).toEqual(['tcp 198.51.100.1 > 10.0.0.1:1020 60']);
  });

  test.each([
    'table ip t {\n ct helper r { type "rsh" protocol tcp; }\n}\n',
    '*raw\n-A PREROUTING -p tcp --dport 514 -j CT --helper rsh\nCOMMIT\n',
  ])('rules may name it where it is known, and nowhere else: %j', (text) => {
    const source = { name: 'rules', text };
    expect(new Ruleset({ helpers: [RSH_HELPER] }).load(source)).toEqual([]);
    expect(String(new Ruleset().load(source)[0])).toContain('rsh');
  });

  test.each(['0\0', '\0', '70000\0', '1020', 'x\0', ''])('expects nothing after %j', (first) => {
    const talk = session();
    talk.up(first);
    talk.up('1021\0');
    expect(talk.expected().filter((line) => !line.includes(':1021'))).toEqual([]);
  });

  test('reads only the beginning of the session', () => {
    const talk = session();
    talk.up('user\0');
    talk.up('1020\0');
    expect(talk.expected()).toEqual([]);
  });

  test('names another port where the one wanted is taken by another client', () => {
    const talk = session(true);
    const { conntrack } = talk.firewall;
    const words = (address: readonly number[]): number[] => [address.reduce((n, byte) => (n << 8) | byte, 0)];
    let master = 0;
    conntrack.eachFlow((flow) => {
      master = flow;
    });
    const taken = { master, family: 2, proto: 6, sourcePort: null, destinationPort: 1020 };
    conntrack.expect({ ...taken, source: null, destination: words([203, 0, 113, 1]) });
    const said = talk.up('1020\0').text!;
    const port = Number(said.slice(0, -1));
    expect(port).toBeGreaterThan(1020);
    expect(talk.expected().some((line) => line.includes(`203.0.113.1:${port} `))).toBe(true);
  });
});
