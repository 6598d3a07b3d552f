# Sourced by what runs programs under AddressSanitizer: the same options everywhere.

# LeakSanitizer guesses how long a block of a thread's variables is by the bytes before it, which
# the C library need not have written: its tracer then crashes over libraries loaded late whose
# threads have variables, as OpenVINO's do. What our own threads hold, it finds without that guess.
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:allocator_may_return_null=1
ASAN_OPTIONS+=:intercept_tls_get_addr=0
export LSAN_OPTIONS=print_suppressions=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
