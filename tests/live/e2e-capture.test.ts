/** `keepstate run --capture` beside a router: it sees what the kernel forwards, and has no part in it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Network, SERVER4, SERVER6 } from '../real/network.ts';
import { startNginx, startVsftpd } from '../real/servers.ts';
import { built, Daemon } from './e2e-daemon.ts';
import { Forbidden } from './e2e-forbidden.ts';
import { destroy, liveNetwork, liveUsable, writeRules } from './e2e-net.ts';

const LIMIT = 120_000;

describe.skipIf(!liveUsable(['nginx', 'vsftpd']))('keepstate run --capture', () => {
  let network: Network;
  let daemon: Daemon;
  beforeAll(async () => {
    await built();
    network = await liveNetwork('capture');
    await Promise.all([startNginx(network), startVsftpd(network)]);
    daemon = await Daemon.start(network, 'capture', writeRules(network, 'capture'));
  }, LIMIT);
  afterAll(() => destroy(network));

  test('tracks what goes by, also data connections that a helper expects', { timeout: LIMIT }, async () => {
    await network.run('client', ['ping', '-c', '2', '-i', '0.2', SERVER6]);
    await network.run('client', ['curl', '-s', `http://${SERVER4}/`]);
    await network.run('client', ['curl', '-s', '--disable-epsv', `ftp://${SERVER4}/hello.txt`]);
    const { stdout } = await daemon.command('conntrack', '-L');
    expect(stdout).toMatch(
      /^tcp .* (TIME_WAIT|CLOSE) src=192\.0\.2\.10 dst=198\.51\.100\.80 .* dport=80 .*\[ASSURED\]/m,
    );
    expect(stdout).toMatch(/^icmpv6 .*type=128 /m);
    expect(stdout).toMatch(/^tcp .* dport=21 .*helper=ftp/m);
    expect(stdout).toMatch(/^tcp .* dport=40\d\d\d .*helper=ftp|^tcp .* dport=40\d\d\d /m);
  });

  test('holds up nothing: what its rules forbid passes, with it and without it', {
    timeout: LIMIT,
  }, async () => {
    const sent = await Forbidden.start(network);
    await sent.passes();
    const client = await daemon.client();
    const { verdicts } = await client.call('status', {});
    client.close();
    expect(verdicts.drop).toBeGreaterThan(0);
    await daemon.end('SIGKILL');
    await sent.passes();
    expect((await sent.end()).length).toBeGreaterThan(0);
  });
});
