def report(records, plot):
    print(records)
