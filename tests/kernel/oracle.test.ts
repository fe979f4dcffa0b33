import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Kernel, type KernelEntry, kernelUsable, runKernel } from './oracle.ts';
import { ACK, fragments, icmp, ip, SYN, tcp, udp } from './packets.ts';

const A = '10.0.0.1';
const B = '10.1.0.1';
const A6 = '2001:db8:1::1';
const B6 = '2001:db8:2::1';
const SEEN_REPLY = 2;
const ASSURED = 4;
const CONFIRMED = 8;

const pack = (...packets: Uint8Array[]) => packets.map((bytes) => ({ bytes }));
const names = (run: { verdicts: readonly { state: string | null; dir: string | null }[] }) =>
  run.verdicts.map(({ state, dir }) => (dir === null ? `${state}` : `${state}/${dir}`));

const handshake = [
  tcp(A, 1000, B, 80, SYN, 100, 0),
  tcp(B, 80, A, 1000, SYN | ACK, 500, 101),
  tcp(A, 1000, B, 80, ACK, 101, 501),
];

describe.skipIf(!kernelUsable())('the kernel oracle', () => {
  let kernel: Kernel;
  beforeAll(async () => {
    kernel = await Kernel.open({ stages: true });
  });
  beforeEach(() => kernel.flush());
  afterAll(() => kernel?.close());

  test('a handshake is NEW, ESTABLISHED in reply direction, ESTABLISHED, with the status before confirm', async () => {
    const run = await kernel.replay(pack(...handshake));
    expect(names(run)).toEqual(['NEW/original', 'ESTABLISHED/reply', 'ESTABLISHED/original']);
    expect(run.verdicts.map(({ status }) => status)).toEqual([
      0,
      SEEN_REPLY | CONFIRMED,
      SEEN_REPLY | CONFIRMED | ASSURED,
    ]);
    expect(run.verdicts.every(({ log, stage }) => log.length === 0 && stage === 'out')).toBe(true);
  });

  test('the table shows tuples, timeout, status and the TCP state of an established connection', async () => {
    const { table } = await kernel.replay(pack(...handshake));
    expect(table).toMatchObject([
      {
        family: 'ipv4',
        protocol: 6,
        original: { src: A, dst: B, protocol: 6, sport: 1000, dport: 80, icmpType: null, zone: null },
        reply: { src: B, dst: A, protocol: 6, sport: 80, dport: 1000 },
        status: SEEN_REPLY | ASSURED | CONFIRMED,
        mark: 0,
        zone: 0,
        tcp: { state: 3, scale: [0, 0] },
        sctp: null,
        counters: null,
        helper: null,
      },
    ]);
    expect(Math.abs(table[0]!.timeout! - 432000)).toBeLessThanOrEqual(1);
  });

  test('a lone ACK is picked up as NEW, and a packet without flags is INVALID with the reason', async () => {
    const run = await kernel.replay(
      pack(tcp(A, 1, B, 80, ACK, 1, 1), tcp(A, 2, B, 80, 0, 1, 1), tcp(A, 3, B, 80, SYN | ACK, 1, 1)),
    );
    expect(names(run)).toEqual(['NEW/original', 'INVALID', 'INVALID']);
    expect(run.verdicts.map(({ log }) => log)).toEqual([
      [],
      ['nf_ct_proto_6: invalid tcp flag combination '],
      ['nf_ct_proto_6: invalid new '],
    ]);
    expect(run.table).toHaveLength(1);
  });

  test('an ignored packet keeps its state and still has a remark', async () => {
    const run = await kernel.replay(pack(...handshake, tcp(A, 1000, B, 80, SYN, 900, 0)));
    expect(names(run)[3]).toBe('ESTABLISHED/original');
    expect(run.verdicts[3]!.log).toEqual([
      'nf_ct_proto_6: packet (index 0) in dir 0 ignored, state ESTABLISHED ',
    ]);
  });

  test('port unreachable is RELATED in the direction of the error and leaves the entry unreplied', async () => {
    const query = udp(A, 1000, B, 53);
    const run = await kernel.replay(pack(query, icmp(B, A, 3, 3, 0, query), query));
    expect(names(run)).toEqual(['NEW/original', 'RELATED/reply', 'NEW/original']);
    expect(run.table).toMatchObject([{ protocol: 17, status: CONFIRMED }]);
  });

  test('a wrong TCP checksum is INVALID', async () => {
    const run = await kernel.replay(pack(tcp(A, 1000, B, 80, SYN, 100, 0, 1)));
    expect(run.verdicts[0]).toMatchObject({ state: 'INVALID', log: ['nf_ct_proto_6: bad checksum '] });
    expect(run.table).toEqual([]);
  });

  test('the first fragment is held without verdict, the last has the verdict of the whole', async () => {
    const run = await kernel.replay(pack(...fragments(udp(A, 1000, B, 53, 'x'.repeat(100)), 64, 7)), {
      output: true,
    });
    expect(run.verdicts).toMatchObject([
      { state: null, dir: null, stage: 'defrag' },
      { state: 'NEW', dir: 'original', stage: 'out' },
    ]);
    expect(run.out!.map((packets) => packets.length)).toEqual([0, 2]);
  });

  test('flush leaves held fragments alone, reset does not', async () => {
    const [first, last] = fragments(udp(A, 1000, B, 53, 'x'.repeat(100)), 64, 8);
    await kernel.replay(pack(first));
    await kernel.flush();
    expect(names(await kernel.replay(pack(last)))).toEqual(['NEW/original']);
    await kernel.replay(pack(first));
    await kernel.reset();
    expect(names(await kernel.replay(pack(last)))).toEqual(['null']);
  });

  test('neighbour solicitation is UNTRACKED and leaves no entry', async () => {
    const run = await kernel.replay(pack(icmp(A6, B6, 135, 0, 0, new Uint8Array(16))));
    expect(names(run)).toEqual(['UNTRACKED']);
    expect(run.table).toEqual([]);
  });

  test('IPv6 and ICMP entries carry short addresses, type, code and id', async () => {
    const run = await kernel.replay(
      pack(icmp(A6, B6, 128, 0, 0x00070001, Buffer.of()), icmp(A, B, 8, 0, 0x00090001, Buffer.of())),
    );
    const byFamily = [...run.table].sort((x, y) => (x.family < y.family ? -1 : 1));
    expect(byFamily).toMatchObject([
      { family: 'ipv4', protocol: 1, original: { icmpType: 8, icmpCode: 0, icmpId: 9, sport: null } },
      { family: 'ipv6', protocol: 58, original: { src: A6, dst: B6, icmpType: 128, icmpId: 7 } },
    ]);
    expect(byFamily[1]!.reply).toMatchObject({ src: B6, dst: A6, icmpType: 129, icmpCode: 0, icmpId: 7 });
  });

  test('garbage never gets to conntrack and disturbs nothing', async () => {
    const version5 = Buffer.alloc(40, 0x50);
    const short = Buffer.of(0x45, 0, 0);
    const badHeader = udp(A, 1, B, 2);
    badHeader[10]! ^= 1;
    const run = await kernel.replay(pack(version5, short, Buffer.of(), badHeader, udp(A, 1000, B, 53)));
    expect(run.verdicts.map(({ state, stage }) => [state, stage])).toEqual([
      [null, 'ip'],
      [null, 'ip'],
      [null, 'ip'],
      [null, 'ip'],
      ['NEW', 'out'],
    ]);
  });

  test('a packet at the end of its hop limit has a verdict, but neither leaves nor makes an entry', async () => {
    const body = udp(A, 1000, B, 53).subarray(20);
    const run = await kernel.replay(pack(ip(A, B, 17, body, { ttl: 1 })));
    expect(run.verdicts[0]).toMatchObject({ state: 'NEW', stage: 'forward' });
    expect(run.table).toEqual([]);
  });

  test('flush empties the table: what was a reply begins a flow of its own', async () => {
    await kernel.replay(pack(udp(A, 1000, B, 53)));
    expect(await kernel.table()).toHaveLength(1);
    await kernel.flush();
    expect(await kernel.table()).toEqual([]);
    expect(names(await kernel.replay(pack(udp(B, 53, A, 1000))))).toEqual(['NEW/original']);
  });

  test('sysctls take effect and go back to the defaults', async () => {
    await kernel.sysctls({ nf_conntrack_tcp_loose: 0, 'net.netfilter.nf_conntrack_udp_timeout': 77 });
    const strict = await kernel.replay(pack(tcp(A, 1, B, 80, ACK, 1, 1), udp(A, 1000, B, 53)));
    expect(names(strict)).toEqual(['INVALID', 'NEW/original']);
    expect(Math.abs(strict.table[0]!.timeout! - 77)).toBeLessThanOrEqual(1);
    await kernel.sysctls({});
    expect(names(await kernel.replay(pack(tcp(A, 1, B, 80, ACK, 1, 1))))).toEqual(['NEW/original']);
  });

  test('sysctls of the whole machine are refused', async () => {
    await expect(kernel.sysctls({ nf_conntrack_max: 1000 })).rejects.toThrow('machine-global');
    await expect(kernel.sysctls({ 'vm.swappiness': 1 })).rejects.toThrow('network namespace');
  });

  test('the table after every packet follows the connection, and a dump agrees', async () => {
    const run = await kernel.replay(pack(...handshake, udp(A, 1000, B, 53)), { dumpEvery: true });
    const summary = run.tables!.map((table) => table.map((entry) => entry.tcp?.state ?? 'udp'));
    expect(summary).toEqual([[1], [2], [3], [3, 'udp']]);
    const steady = (table: readonly KernelEntry[]) =>
      table.map((entry) => ({ ...entry, timeout: null })).sort((x, y) => x.id - y.id);
    expect(steady(run.tables!.at(-1)!)).toEqual(steady(run.table));
  });

  test('twenty thousand packets in one replay all have their verdict', async () => {
    const packets = Array.from({ length: 10_000 }, (_, i) =>
      pack(udp(A, 1000 + i, B, 53), udp(B, 53, A, 1000 + i)),
    ).flat();
    const { verdicts, table } = await kernel.replay(packets);
    expect(table).toHaveLength(10_000);
    expect(
      verdicts.every(({ state, dir }, i) =>
        i % 2 ? state === 'ESTABLISHED' && dir === 'reply' : state === 'NEW' && dir === 'original',
      ),
    ).toBe(true);
  });

  test('commands run inside the namespace, and only there the devices exist', async () => {
    await kernel.replay(pack(udp(A, 1000, B, 53)));
    const listing = await kernel.exec(['conntrack', '-L']);
    expect(listing.stdout).toMatch(
      /^udp {6}17 \d+ src=10\.0\.0\.1 dst=10\.1\.0\.1 sport=1000 dport=53 \[UNREPLIED\]/,
    );
    expect((await kernel.exec(['ip', 'link', 'show', 'ksin'])).status).toBe(0);
    expect(spawnSync('ip', ['link', 'show', 'ksin']).status).not.toBe(0);
  });
});

describe.skipIf(!kernelUsable())('a kernel opened with options', () => {
  test('events tell what each packet did, and expiry comes without a timeout', async () => {
    const query = udp(A, 1000, B, 53);
    const packets = [{ bytes: query }, { bytes: udp(B, 53, A, 1000) }, { bytes: query, waitMs: 1200 }];
    const run = await runKernel(packets, { events: true, sysctls: { nf_conntrack_udp_timeout: 1 } });
    expect(run.events!.map((events) => events.map(({ type }) => type))).toEqual([
      ['NEW'],
      ['UPDATE'],
      ['DESTROY', 'NEW'],
    ]);
    expect(run.events![0]![0]!.entry).toMatchObject({ status: CONFIRMED, original: { src: A } });
    expect(run.events![0]![0]!.entry.timeout).not.toBeNull();
    expect(run.events![2]![0]!.entry.timeout).toBeNull();
    expect(run.times[2]! - run.times[1]!).toBeGreaterThan(1190);
  });

  test('a ruleset translates packets; marks set before the verdict survive it', async () => {
    const ruleset = `table ip t {
      chain raw { type filter hook prerouting priority raw; meta mark set 42; }
      chain late { type filter hook prerouting priority mangle; ct mark set meta mark; }
      chain nat { type nat hook postrouting priority srcnat; snat to 198.51.100.1; }
    }`;
    const run = await runKernel(pack(udp(A, 1000, B, 53)), { ruleset, output: true });
    expect(run.verdicts[0]).toMatchObject({ state: 'NEW', status: 0 });
    expect(run.table).toMatchObject([{ mark: 42, reply: { src: B, dst: '198.51.100.1' } }]);
    expect([...run.out![0]![0]!.subarray(12, 16)]).toEqual([198, 51, 100, 1]);
  });

  test('entries in zones, of one direction or both, are followed too', async () => {
    const ruleset = `table ip t {
      chain raw { type filter hook prerouting priority raw;
        udp dport 53 ct zone set 5
        udp dport 54 ct original zone set 6
      }
    }`;
    const run = await runKernel(pack(udp(A, 1000, B, 53), udp(A, 1000, B, 54)), { ruleset, dumpEvery: true });
    expect(run.tables![1]).toMatchObject([
      { zone: 5, original: { dport: 53, zone: null } },
      { zone: 0, original: { dport: 54, zone: 6 }, reply: { zone: null } },
    ]);
  });

  test('counters of both directions appear with nf_conntrack_acct', async () => {
    const run = await runKernel(pack(udp(A, 1000, B, 53), udp(B, 53, A, 1000)), {
      sysctls: { nf_conntrack_acct: 1 },
    });
    expect(run.table[0]!.counters).toEqual([
      { packets: 1, bytes: 32 },
      { packets: 1, bytes: 32 },
    ]);
  });

  test('without log there are no remarks', async () => {
    const run = await runKernel(pack(tcp(A, 2, B, 80, 0, 1, 1)), { log: false });
    expect(run.verdicts).toEqual([{ state: 'INVALID', dir: null, status: 0, log: [], stage: null }]);
  });

  test('a packet that passes conntrack without being logged voids the run', async () => {
    const kernel = await Kernel.open();
    const bypass = 'add rule inet keepstate_oracle verdict index 0 udp dport 53 accept';
    expect(await kernel.exec(['nft', '-f', '-'], bypass)).toMatchObject({ status: 0 });
    await expect(kernel.replay(pack(udp(A, 1000, B, 53)))).rejects.toThrow(
      '1 packets passed conntrack, but 0 were logged',
    );
    await kernel.close();
  });

  test('a rule logged twice for one packet voids the run', async () => {
    const kernel = await Kernel.open();
    const twice = 'add rule inet keepstate_oracle verdict log prefix "A" group 1 queue-threshold 1';
    expect(await kernel.exec(['nft', '-f', '-'], twice)).toMatchObject({ status: 0 });
    await expect(kernel.replay(pack(udp(A, 1000, B, 53)))).rejects.toThrow('two verdicts for one packet');
    await kernel.close();
  });

  test('a ruleset that nft refuses is reported with its message', async () => {
    await expect(Kernel.open({ ruleset: 'table ip t { nonsense }' })).rejects.toThrow(
      /nft -f -: .*nonsense/s,
    );
  });

  test('a closed kernel says so', async () => {
    const kernel = await Kernel.open();
    await kernel.close();
    await expect(kernel.table()).rejects.toThrow('the child is gone');
  });
});
