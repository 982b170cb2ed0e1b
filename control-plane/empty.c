typedef int control_empty;
