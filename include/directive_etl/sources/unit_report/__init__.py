"""Reports that units send as workbooks: the form, reading, checking, answering, loading."""
