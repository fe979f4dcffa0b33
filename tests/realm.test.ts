/** The engine needs nothing but the language: bundled, it runs in a realm that has neither Node nor a page around it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { build } from 'rolldown';
import { beforeAll, describe, expect, test } from 'vitest';

const ENGINE = fileURLToPath(new URL('../engine/', import.meta.url));

/** A realm with the language's own globals alone; V8's console and the sources of time and chance are taken away. */
function emptyRealm(): vm.Context {
  const realm = vm.createContext(Object.create(null));
  vm.runInContext(
    `'use strict';
    delete globalThis.console;
    delete globalThis.WebAssembly;
    Math.random = () => { throw new Error('chance from nowhere'); };
    globalThis.Date = undefined;`,
    realm,
  );
  return realm;
}

/** What a program in that realm may do with the engine: all that it needs comes with the bundle. */
const PROGRAM = `'use strict';
(() => {
  const { Firewall, Packet, resetPacket, tcpPacket, readFlow, LINUX_2_4, Settings } = keepstate;
  const client = { src: '192.168.1.10', dst: '10.0.0.80', sport: 1025, dport: 80 };
  const server = { src: '10.0.0.80', dst: '192.168.1.10', sport: 80, dport: 1025 };
  const six = { src: 'fd00::1', dst: 'fd00::2', sport: 1025, dport: 80 };
  const run = (settings) => {
    const firewall = new Firewall({ settings, seed: 7 });
    const pkt = new Packet();
    const states = [];
    const receive = (bytes, now) => {
      resetPacket(pkt, bytes, new DataView(bytes.buffer), 0, bytes.length);
      pkt.time = now;
      firewall.receive(pkt, 101);
      states.push(pkt.ctinfo);
    };
    receive(tcpPacket({ ...client, flags: 0x02, seq: 100 }), 1000);
    receive(tcpPacket({ ...server, flags: 0x12, seq: 500, ack: 101 }), 1010);
    receive(tcpPacket({ ...six, flags: 0x02, seq: 1 }), 1020);
    const table = [];
    firewall.conntrack.eachFlow((flow) => table.push(readFlow(firewall.conntrack, flow)));
    return { states, table };
  };
  return JSON.stringify({ today: run(new Settings()), classic: run(new Settings(LINUX_2_4)) });
})()`;

describe('the engine in an empty realm', () => {
  let bundle = '';
  beforeAll(async () => {
    const { output } = await build({
      input: `${ENGINE}index.ts`,
      output: { format: 'iife', name: 'keepstate' },
      write: false,
    });
    bundle = output[0].code;
  });

  test('tracks a SYN and a SYN/ACK, and its table can be read', () => {
    const realm = emptyRealm();
    vm.runInContext(bundle, realm);
    const result = JSON.parse(vm.runInContext(PROGRAM, realm));
    for (const { states, table } of [result.today, result.classic]) {
      // NEW, ESTABLISHED in reply direction, NEW.
      expect(states).toEqual([2, 3, 2]);
      expect(table).toMatchObject([
        {
          protocol: 'tcp',
          state: 'SYN_RECV',
          timeout: 59_990,
          original: { src: '192.168.1.10', dst: '10.0.0.80', sport: 1025, dport: 80 },
          reply: { src: '10.0.0.80', dst: '192.168.1.10', sport: 80, dport: 1025 },
        },
        { protocol: 'tcp', state: 'SYN_SENT', original: { src: 'fd00::1', dst: 'fd00::2' } },
      ]);
    }
  });

  test.each([
    'process.cwd()',
    'Buffer.alloc(1)',
    "require('node:fs')",
    'console.log(1)',
    'setTimeout(() => {}, 1)',
    'performance.now()',
    'new TextDecoder()',
    'crypto.getRandomValues(new Uint8Array(1))',
    'document.title',
    'new URL("http://localhost")',
    'structuredClone({})',
    'Date.now()',
    'new Date()',
    'Math.random()',
  ])('would fail if it did: %s', (code) => {
    expect(() => vm.runInContext(code, emptyRealm())).toThrow();
  });
});

test('the engine depends on no package', () => {
  const manifest = JSON.parse(readFileSync(`${ENGINE}package.json`, 'utf8'));
  const kinds = Object.keys(manifest).filter((key) => /dependencies/i.test(key));
  expect(kinds).toEqual([]);
});
