// ssh and sshd.

import { type Network, SERVER4, SERVER6 } from '../network.ts';
import { startSshd } from '../servers.ts';
import type { Scenario } from './scenario.ts';

/** Logs in by key and runs a command there. @throws Error if its output does not come back. */
async function login(network: Network, host: string): Promise<void> {
  const key = network.path('ssh/key');
  const known = network.path('ssh/known');
  const options = [
    ...['-F', 'none', '-i', key, '-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes'],
    ...['-o', `UserKnownHostsFile=${known}`, '-o', 'GlobalKnownHostsFile=/dev/null'],
    ...['-o', 'StrictHostKeyChecking=accept-new', '-o', 'LogLevel=ERROR', '-T'],
  ];
  const command = 'echo hello; head -c 100000 /dev/zero; read line; echo $line';
  const { stdout } = await network.run('client', ['ssh', ...options, `root@${host}`, command], {
    input: 'and back\n',
  });
  if (stdout.length !== 100_015 || !stdout.endsWith('and back\n')) {
    throw new Error(`ssh brought back ${stdout.length} characters, ending '${stdout.slice(-20)}'`);
  }
}

export const SSH_SCENARIOS: readonly Scenario[] = [
  {
    name: 'ssh',
    about: 'ssh and sshd: login by key, a command with input and output; IPv4 and IPv6',
    needs: ['ssh', 'ssh-keygen', 'sshd'],
    capture: 'ethernet',
    limit: 20,
    prepare: startSshd,
    run: async (network) => {
      await login(network, SERVER4);
      await login(network, SERVER6);
    },
  },
];
