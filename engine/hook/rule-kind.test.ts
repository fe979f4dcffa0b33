import { expect, test } from 'vitest';
import { recogniseRules } from './rule-kind.ts';

test.each([
  [
    '#!/bin/sh\n$IPTABLES -A INPUT -p udp -j REJECT\n',
    'iptables',
    'a shell script that names its tool by a variable',
  ],
  ['#!/usr/bin/env bash\nfw INPUT\n', 'iptables', 'a shell script by its first line'],
  ['#!/usr/sbin/nft -f\nadd table ip t\n', 'nft', 'a script for nft'],
  ['-A INPUT -p tcp -j DROP\n', 'iptables-save', 'a rule without its table'],
  ['-A banned 10.0.0.1\n', 'ipset', 'an entry of an IP set'],
  ['add rule ip t c drop\n', 'nft', 'a command of nft'],
  ['add banned 10.0.0.1\n', 'ipset', 'a command of ipset'],
])('%j is %s: %s', (text, kind) => {
  expect(recogniseRules(text, 'rules')).toBe(kind);
});
