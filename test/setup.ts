/** Before all tests: the clock of tests is that of the machine, the network is for loopback alone. */
process.env.NODE_ENV = 'test';
