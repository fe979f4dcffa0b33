/** Linux packet I/O for keepstate: drivers that bring packets to a firewall and carry out its verdicts. */
export { type Driver, type DriverCounts, DriverError, type Judge } from './driver.ts';
