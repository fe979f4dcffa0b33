import type { Command } from '../command.ts';

/** `keepstate run`: filters real packets. */
export const RUN: Command = {
  name: 'run',
  takes: '--bridge|--tun|--nfqueue|--capture … --rules FILE',
  summary: 'be a firewall for real packets on Linux, in user space',
  about: [
    'Takes packets from Linux in one of four ways, tracks them, judges them by the rules, and sends on what may pass, ' +
      'translated where rules say so. Where it does not run, nothing passes. It needs CAP_NET_ADMIN and CAP_NET_RAW, ' +
      'and gives up all others first of all: what root may do besides, it may not.',
    'Rules are read first; with an error in them nothing is opened and the status is 2. SIGHUP, --watch and the control ' +
      'socket read them anew: new rules take the place of all that were there at once, as nft -f of a file with flush ' +
      'ruleset does, and an error keeps the old ones. Connections live on. Those that the new rules would no longer let ' +
      'begin are told: each is judged by the packet that would open it today.',
    'SIGTERM and SIGINT end it; the state is saved then, too, and the status is 0. keepstate conntrack, top, sysctl and ' +
      'proc look into a running instance by its control socket, which only its own user and root can open.',
    "The log goes to standard error, and with it what LOG and log rules write, in the kernel's format, a hundred lines a " +
      'second at most; --sysctl nf_conntrack_log_invalid=255 also logs packets that are INVALID.',
  ],
  examples: [
    {
      command: 'keepstate run --bridge eth0,eth1 --rules rules.nft --watch --state state',
      says: 'a transparent firewall between two networks',
    },
    {
      command: 'keepstate run --tun tun0 --rules nat.nft',
      says: 'what the kernel routes into tun0',
    },
    {
      command: 'keepstate run --nfqueue 0-3 --rules rules.v4 --metrics 127.0.0.1:9117',
      says: 'verdicts for iptables -j NFQUEUE --queue-balance 0:3, with metrics',
    },
    { command: 'keepstate run --capture eth0 &  keepstate conntrack -E', says: 'watch what goes by' },
  ],
  // The languages of rulesets, and all that calls the kernel: only who runs waits for them to be loaded.
  run: async (words, given, world) => (await import('../with-live.ts')).runLive(words, given, world),
};
