#!/bin/sh
# The same for UDP: an answer passes for as long as the entry lives.
iptables -P INPUT DROP
iptables -P OUTPUT DROP
iptables -A OUTPUT -p udp -m state --state NEW,ESTABLISHED -j ACCEPT
iptables -A INPUT -p udp -m state --state ESTABLISHED -j ACCEPT
