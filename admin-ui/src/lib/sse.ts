/* Server-sent events out of a byte stream, as the HTML standard reads them: lines end with CR, LF or both, a blank line ends an event,
 * data lines are joined, comments are dropped. Pieces may be cut anywhere. */

export class SseParser {
  private buffer = '';
  private data: string[] = [];
  private afterCr = false;

  /** Gives the data of every event that is complete now. */
  push(text: string): string[] {
    let piece = text;
    if (this.afterCr && piece.startsWith('\n')) piece = piece.slice(1);
    if (text !== '') this.afterCr = piece.endsWith('\r');
    this.buffer += piece;
    const events: string[] = [];
    for (;;) {
      const end = /\r\n|\n|\r/.exec(this.buffer);
      if (end === null) return events;
      const line = this.buffer.slice(0, end.index);
      this.buffer = this.buffer.slice(end.index + end[0].length);
      this.line(line, events);
    }
  }

  private line(line: string, events: string[]): void {
    if (line === '') {
      if (this.data.length > 0) events.push(this.data.join('\n'));
      this.data = [];
    } else if (line === 'data' || line.startsWith('data:')) {
      const value = line.slice('data:'.length);
      this.data.push(value.startsWith(' ') ? value.slice(1) : value);
    }
  }
}
