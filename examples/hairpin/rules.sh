#!/bin/sh
iptables -t nat -A PREROUTING -d 198.51.100.1 -p tcp --dport 80 -j DNAT --to-destination 192.0.2.11
iptables -t nat -A POSTROUTING -s 192.0.2.0/24 -d 192.0.2.11 -p tcp --dport 80 -j MASQUERADE
iptables -t nat -A POSTROUTING -o wan0 -j MASQUERADE
