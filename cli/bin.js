#!/usr/bin/env node
import './dist/keepstate.js';
