typedef int gateway_empty;
