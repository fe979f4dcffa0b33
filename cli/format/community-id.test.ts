import { describe, expect, test } from 'vitest';
import { communityId } from './community-id.ts';

const TCP = { src: '128.232.110.120', dst: '66.35.250.204', protonum: 6, sport: 34855, dport: 80 };

describe('the Community ID', () => {
  test('of a TCP flow is the one that other tools compute', () => {
    expect(communityId(TCP)).toBe('1:LQU9qZlK+B5F3KDmev6m5PMibrg=');
  });

  test('is the same seen from the other side', () => {
    const { src, dst, sport, dport } = TCP;
    expect(communityId({ ...TCP, src: dst, dst: src, sport: dport, dport: sport })).toBe(communityId(TCP));
  });

  test('of a UDP flow is the one that other tools compute', () => {
    expect(communityId({ src: '192.168.1.42', dst: '8.8.8.8', protonum: 17, sport: 4242, dport: 53 })).toBe(
      '1:vTdrngJjlP5eZ9mw9JtnKyn99KM=',
    );
  });

  test('of a ping is the one that other tools compute, and the same for the answer', () => {
    const request = { src: '192.168.0.89', dst: '192.168.0.1', protonum: 1, sport: 8, dport: 0 };
    expect(communityId(request)).toBe('1:X0snYXpgwiv9TZtqg64sgzUn6Dk=');
    expect(communityId({ ...request, src: request.dst, dst: request.src, sport: 0 })).toBe(
      communityId(request),
    );
  });

  test('of an ICMP type that nothing answers keeps its direction', () => {
    const there = { src: '192.168.0.89', dst: '192.168.0.1', protonum: 1, sport: 3, dport: 1 };
    expect(communityId({ ...there, src: there.dst, dst: there.src })).not.toBe(communityId(there));
  });

  test('of a protocol without ports does not mind what stands in their place', () => {
    const gre = { src: '10.0.0.1', dst: '10.0.0.2', protonum: 47, sport: 1, dport: 2 };
    expect(communityId(gre)).toBe(communityId({ ...gre, sport: 7, dport: 9 }));
  });

  test('depends on the seed', () => {
    expect(communityId(TCP, 1)).not.toBe(communityId(TCP));
  });
});
