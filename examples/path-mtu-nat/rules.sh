#!/bin/sh
iptables -t nat -A PREROUTING -i lan0 -d 192.0.2.1 -p tcp --dport 80 -j DNAT --to-destination 198.51.100.80
