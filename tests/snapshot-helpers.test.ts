/**
 * Every test of the helpers, with a restart before each packet: another firewall goes on with the snapshot of the one
 * before, and nobody must notice.
 */
import { afterAll } from 'vitest';
import { restarts } from '../engine/helper/testing.mts';

restarts.on = true;
afterAll(() => {
  restarts.on = false;
});

const FILES = ['amanda', 'ftp', 'irc', 'netbios-ns', 'pptp', 'q931', 'ras', 'sane', 'sip', 'snmp', 'tftp'];
for (const name of FILES) await import(`../engine/helper/${name}.test.ts`);
