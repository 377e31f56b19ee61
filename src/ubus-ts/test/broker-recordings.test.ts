/* The broker sends what ubusd sent, to the byte, to every client of every recorded scenario. */
import t from 'tap';
import { recordings } from './recordings.js';
import { play, scenarios } from './replay.js';

for (const [name, connections] of scenarios(recordings())) {
  t.test(name, async t => {
    for (const { recording, sent, closed } of play(connections)) {
      const expected = recording.frames.filter(frame => frame.dir === 's2c').map(frame => frame.hex);
      t.same(sent, expected, `what ${recording.role} was sent`);
      t.equal(closed, recording.trailing !== undefined && recording.closedBy === 'ubusd', `${recording.role}: connection ended by the broker`);
    }
  });
}
