/* Traces for trace.pml, from the file that TRACES names: one event a line, its columns apart by blanks; a line with 0 alone ends a trace.
   At the end it prints how far each trace came. */

#include <stdio.h>
#include <stdlib.h>

#define COLUMNS 32

typedef struct {
  int cells[COLUMNS];
} TraceEvent;

static TraceEvent *trace_events;
static int *trace_starts, *trace_reached, trace_event_count, trace_count;

static void *grown(void *array, size_t count, size_t size)
{
  if ((count & (count - 1)) != 0)
    return array;
  array = realloc(array, (count ? count * 2 : 1) * size);
  if (array == NULL)
    abort();
  return array;
}

static void report(void)
{
  for (int i = 0; i < trace_count; i++)
    printf("trace %d: %d of %d\n", i, trace_reached[i], trace_starts[i + 1] - trace_starts[i] - 1);
}

static void read_line(char *line)
{
  TraceEvent event;
  int column = 0;
  for (int i = 0; i < COLUMNS; i++)
    event.cells[i] = -1;
  for (char *rest = line; column < COLUMNS; column++) {
    char *end;
    event.cells[column] = (int)strtol(rest, &end, 10);
    if (end == rest)
      break;
    rest = end;
  }
  if (column < COLUMNS)
    event.cells[column] = -1;
  trace_events = (TraceEvent *)grown(trace_events, (size_t)trace_event_count, sizeof *trace_events);
  trace_events[trace_event_count++] = event;
  if (event.cells[0] != 0)
    return;
  trace_count++;
  trace_starts = (int *)realloc(trace_starts, (size_t)(trace_count + 1) * sizeof *trace_starts);
  if (trace_starts == NULL)
    abort();
  if (trace_count == 1)
    trace_starts[0] = 0;
  trace_starts[trace_count] = trace_event_count;
}

static void read_traces(void)
{
  static char line[4096];
  FILE *file;
  if (trace_count > 0)
    return;
  file = fopen(getenv("TRACES"), "r");
  if (file == NULL)
    abort();
  while (fgets(line, sizeof line, file) != NULL)
    read_line(line);
  fclose(file);
  trace_reached = (int *)calloc((size_t)trace_count, sizeof *trace_reached);
  if (trace_reached == NULL)
    abort();
  atexit(report);
}

static void passed(int trace, int at)
{
  if (trace_reached[trace] < at + 1)
    trace_reached[trace] = at + 1;
}
